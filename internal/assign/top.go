package assign

import "math"

// topShare is the part of the photo that speaks for a word's presence.
const topShare = 0.1

// top is the mean of a plane's largest tenth.
func top(plane []float32, buffer []float32) float64 {
	buffer = append(buffer[:0], plane...)
	k := max(1, int(math.Round(topShare*float64(len(buffer)))))
	selectLargest(buffer, k)
	var sum float64
	for _, v := range buffer[:k] {
		sum += float64(v)
	}
	return sum / float64(k)
}

// selectLargest moves the k largest values to the front, in any order.
func selectLargest(x []float32, k int) {
	for len(x) > 1 && k > 0 && k < len(x) {
		pivot := median3(x[0], x[len(x)/2], x[len(x)-1])
		i, j := 0, len(x)-1
		for i <= j {
			for x[i] > pivot {
				i++
			}
			for x[j] < pivot {
				j--
			}
			if i <= j {
				x[i], x[j] = x[j], x[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case k <= j+1:
			x = x[:j+1]
		case k > i:
			x, k = x[i:], k-i
		default:
			return
		}
	}
}

func median3(a, b, c float32) float32 { return max(min(a, b), min(max(a, b), c)) }
