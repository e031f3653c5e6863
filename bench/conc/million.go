// 1,000,000 goroutines parked on a receive: all created, all woken. Prints milliseconds and bytes of resident set each.
package main

import (
	"fmt"
	"os"
	"runtime"
	"time"
)

func rss() float64 {
	b, _ := os.ReadFile("/proc/self/statm")
	var size, pages int
	fmt.Sscan(string(b), &size, &pages)
	return float64(pages) * 4096
}

func main() {
	n := 1000000
	start, done := make(chan int), make(chan int, 1024)
	base, t0 := rss(), time.Now()
	wait := func() { done <- 1 + <-start }
	for i := 0; i < n; i++ {
		go wait()
	}
	runtime.Gosched()
	bytes := (rss() - base) / float64(n)
	close(start)
	sum := 0
	for i := 0; i < n; i++ {
		sum += <-done
	}
	if sum != n {
		panic("wrong sum")
	}
	fmt.Printf("%.1f %.0f\n", float64(time.Since(t0).Nanoseconds())/1e6, bytes)
}
