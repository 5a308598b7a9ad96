// Package onnxpb holds the messages of the ONNX file format in Go. Both other files
// are not our work: onnx.proto is that of onnx 1.23.2, unchanged (Copyright (c) ONNX
// Project Contributors, SPDX-License-Identifier: Apache-2.0, https://github.com/onnx/onnx),
// and onnx.pb.go what protoc 3.21.12 and protoc-gen-go make of it:
//
//	go build -o /tmp/bin/protoc-gen-go google.golang.org/protobuf/cmd/protoc-gen-go
//	PATH=/tmp/bin:$PATH go generate ./internal/onnx/onnxpb
//
// Modules that have these messages in Go (onnx-gomlx, compute-onnx) keep them
// internal.
package onnxpb

//go:generate protoc --go_out=. --go_opt=paths=source_relative --go_opt=Monnx.proto=github.com/groupvit/groupvit/internal/onnx/onnxpb onnx.proto
