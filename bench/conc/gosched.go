// Two goroutines that give way to each other. Prints ns per Gosched.
package main

import (
	"fmt"
	"runtime"
	"sync"
	"time"
)

func main() {
	n := 500000
	var wg sync.WaitGroup
	count := 0
	t0 := time.Now()
	for g := 0; g < 2; g++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			mine := 0
			for i := 0; i < n; i++ {
				runtime.Gosched()
				mine++
			}
			count += mine
		}()
	}
	wg.Wait()
	if count != 2*n {
		panic("wrong count")
	}
	fmt.Printf("%.1f\n", float64(time.Since(t0).Nanoseconds())/float64(2*n))
}
