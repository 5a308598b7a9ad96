// Package parquetio reads Parquet files that come from outside: rows one after the
// other, and single values of a column of bytes in any order. What the file claims
// is checked before the library that decodes it (parquet-go) believes it.
//
// Read in this order: file (the footer, and rows one after the other), values (any
// value), cache (pages that were read), guard (what is checked).
package parquetio
