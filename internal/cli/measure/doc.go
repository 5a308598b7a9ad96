// Package measure has the commands that measure: eval and those below it, calibrate,
// experiment and bench.
package measure
