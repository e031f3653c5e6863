// A 10-ary tree of 100,000 leaf goroutines that sum their numbers. Prints milliseconds.
package main

import (
	"fmt"
	"time"
)

func skynet(c chan int, num, size int) {
	if size == 1 {
		c <- num
		return
	}
	rc, sum, part := make(chan int), 0, size/10
	for i := 0; i < 10; i++ {
		go skynet(rc, num+i*part, part)
	}
	for i := 0; i < 10; i++ {
		sum += <-rc
	}
	c <- sum
}

func main() {
	t0, c := time.Now(), make(chan int)
	go skynet(c, 0, 100000)
	if <-c != 4999950000 {
		panic("wrong sum")
	}
	fmt.Printf("%.1f\n", float64(time.Since(t0).Nanoseconds())/1e6)
}
