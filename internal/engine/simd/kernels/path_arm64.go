package kernels

// best is NEON, which every arm64 CPU that Go runs on has.
const best = NEON

// firstLevel is the name of the lowest level above Off.
const firstLevel = "neon"

// int8Level is the lowest level with products of bytes: none that this machine has.
const int8Level = AVX512VNNI
