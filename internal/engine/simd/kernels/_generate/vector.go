package main

func vectors() {}
