// One way over a channel (buffer: first argument, default 0). Prints ns per value.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

func main() {
	n, size := 1000000, 0
	if len(os.Args) > 1 {
		size, _ = strconv.Atoi(os.Args[1])
	}
	c := make(chan int, size)
	go func() {
		for i := 1; i <= n; i++ {
			c <- i
		}
		close(c)
	}()
	t0, sum := time.Now(), 0
	for v := range c {
		sum += v
	}
	if sum != n*(n+1)/2 {
		panic("wrong sum")
	}
	fmt.Printf("%.1f\n", float64(time.Since(t0).Nanoseconds())/float64(n))
}
