// Unbuffered round trip of two goroutines. Prints ns per round trip.
package main

import (
	"fmt"
	"time"
)

func main() {
	n := 500000
	a, b := make(chan int), make(chan int)
	go func() {
		for v := range a {
			b <- v + 1
		}
		close(b)
	}()
	t0, sum := time.Now(), 0
	for i := 1; i <= n; i++ {
		a <- i
		sum += <-b
	}
	dt := time.Since(t0)
	close(a)
	if sum != n*(n+1)/2+n {
		panic("wrong sum")
	}
	fmt.Printf("%.1f\n", float64(dt.Nanoseconds())/float64(n))
}
