// Package render draws results for people: a photograph with its regions in
// colour and a legend beneath ([Overlay]), and sheets of several titled
// pictures ([Sheet]). It sees label maps, never tensors.
package render
