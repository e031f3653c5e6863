// One goroutine and a mutex that nobody else wants. Prints ns per lock and unlock.
package main

import (
	"fmt"
	"sync"
	"time"
)

func main() {
	n := 2000000
	var mu sync.Mutex
	count := 0
	t0 := time.Now()
	for i := 0; i < n; i++ {
		mu.Lock()
		count++
		mu.Unlock()
	}
	if count != n {
		panic("wrong count")
	}
	fmt.Printf("%.1f\n", float64(time.Since(t0).Nanoseconds())/float64(n))
}
