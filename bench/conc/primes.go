// The prime sieve of goroutines: 1000 primes. Prints milliseconds.
package main

import (
	"fmt"
	"time"
)

func generate(ch chan<- int) {
	for i := 2; ; i++ {
		ch <- i
	}
}

func filter(from <-chan int, to chan<- int, prime int) {
	for {
		i := <-from
		if i%prime != 0 {
			to <- i
		}
	}
}

func main() {
	t0 := time.Now()
	ch := make(chan int)
	go generate(ch)
	prime := 0
	for i := 0; i < 1000; i++ {
		prime = <-ch
		next := make(chan int)
		go filter(ch, next, prime)
		ch = next
	}
	if prime != 7919 {
		panic("wrong prime")
	}
	fmt.Printf("%.1f\n", float64(time.Since(t0).Nanoseconds())/1e6)
}
