// Package experiment runs the paper's tables and figures as recipes: which models
// to train, how to measure them, with which seeds, and what the paper found.
//
// A recipe (recipes/experiments/NAME.yaml) names a base recipe of training for each
// scale, and variations of it. [Run] trains what is not trained yet, measures what
// is not measured yet, and writes a table, a plot and pictures. Trained runs are
// kept by what decides them, so that experiments which share a model train it once.
package experiment
