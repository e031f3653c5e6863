// Select over two channels fed by two goroutines. Prints ns per value.
package main

import (
	"fmt"
	"time"
)

func main() {
	n := 300000
	a, b := make(chan int), make(chan int)
	feed := func(c chan int) {
		for i := 1; i <= n; i++ {
			c <- i
		}
	}
	go feed(a)
	go feed(b)
	t0, sum := time.Now(), 0
	for i := 0; i < 2*n; i++ {
		select {
		case v := <-a:
			sum += v
		case v := <-b:
			sum += v
		}
	}
	if sum != n*(n+1) {
		panic("wrong sum")
	}
	fmt.Printf("%.1f\n", float64(time.Since(t0).Nanoseconds())/float64(2*n))
}
