module github.com/groupvit/groupvit/internal/engine/simd/kernels/_generate

go 1.26.5

require (
	github.com/mmcloughlin/avo v0.6.0
	golang.org/x/tools v0.44.0
)

require (
	golang.org/x/mod v0.35.0 // indirect
	golang.org/x/sync v0.20.0 // indirect
)
