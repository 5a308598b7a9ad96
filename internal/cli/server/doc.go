// Package server has the command serve.
package server
