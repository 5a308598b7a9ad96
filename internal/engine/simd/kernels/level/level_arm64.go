package level

// best is NEON, which every arm64 CPU that Go runs on has.
var best = NEON

// firstLevel is the name of the lowest level above Off.
const firstLevel = "neon"

// Int8Level is the lowest level with products of bytes: none that this machine has.
const Int8Level = AVX512VNNI
