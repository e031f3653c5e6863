// Two goroutines that contend for one mutex. Prints ns per lock and unlock.
package main

import (
	"fmt"
	"sync"
	"time"
)

func main() {
	n := 500000
	var mu sync.Mutex
	var wg sync.WaitGroup
	count := 0
	t0 := time.Now()
	for g := 0; g < 2; g++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := 0; i < n; i++ {
				mu.Lock()
				count++
				mu.Unlock()
			}
		}()
	}
	wg.Wait()
	if count != 2*n {
		panic("wrong count")
	}
	fmt.Printf("%.1f\n", float64(time.Since(t0).Nanoseconds())/float64(2*n))
}
