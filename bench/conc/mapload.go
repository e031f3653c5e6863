// One goroutine reads a sync.Map of 1000 entries. Prints ns per load.
package main

import (
	"fmt"
	"sync"
	"time"
)

func main() {
	n := 2000000
	var m sync.Map
	sum := 0
	for i := 0; i < 1000; i++ {
		m.Store(i, i)
	}
	t0 := time.Now()
	for i := 1; i <= n; i++ {
		v, _ := m.Load(i % 1000)
		sum += v.(int)
	}
	if sum != n/1000*499500 {
		panic("wrong sum")
	}
	fmt.Printf("%.1f\n", float64(time.Since(t0).Nanoseconds())/float64(n))
}
