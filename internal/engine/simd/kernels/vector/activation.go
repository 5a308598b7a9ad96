package vector

import "math"

// Activation is a function applied to each element of a product.
type Activation uint8

// The activations.
const (
	NoActivation Activation = iota
	GELU                    // x·Φ(x), by erf
	QuickGELU               // x·sigmoid(1.702·x)
	ReLU                    // max(x, 0)
)

func PlainGELU(x float32) float32 {
	return float32(0.5 * float64(x) * math.Erfc(-float64(x)/math.Sqrt2))
}

func PlainQuickGELU(x float32) float32 {
	return float32(float64(x) / (1 + math.Exp(-1.702*float64(x))))
}
