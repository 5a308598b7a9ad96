package kernels

// best is NEON, which every arm64 CPU that Go runs on has.
const best = NEON

// firstLevel is the name of the lowest level above Off.
const firstLevel = "neon"
