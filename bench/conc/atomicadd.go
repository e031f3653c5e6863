// One goroutine adds to an atomic integer. Prints ns per addition.
package main

import (
	"fmt"
	"sync/atomic"
	"time"
)

func main() {
	n := 3000000
	var x atomic.Int64
	t0 := time.Now()
	for i := 0; i < n; i++ {
		x.Add(1)
	}
	if x.Load() != int64(n) {
		panic("wrong count")
	}
	fmt.Printf("%.1f\n", float64(time.Since(t0).Nanoseconds())/float64(n))
}
