// Two goroutines that read under one RWMutex. Prints ns per RLock and RUnlock.
package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	n := 500000
	var rw sync.RWMutex
	var wg sync.WaitGroup
	var sum atomic.Int64
	shared := 1
	t0 := time.Now()
	for g := 0; g < 2; g++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s := 0
			for i := 0; i < n; i++ {
				rw.RLock()
				s += shared
				rw.RUnlock()
			}
			sum.Add(int64(s))
		}()
	}
	wg.Wait()
	if sum.Load() != int64(2*n) {
		panic("wrong sum")
	}
	fmt.Printf("%.1f\n", float64(time.Since(t0).Nanoseconds())/float64(2*n))
}
