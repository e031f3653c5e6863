// Makes timers and stops them before they fire. Prints ns per timer.
package main

import (
	"fmt"
	"time"
)

func main() {
	n := 300000
	t0 := time.Now()
	for i := 0; i < n; i++ {
		t := time.NewTimer(time.Hour)
		if !t.Stop() {
			panic("fired")
		}
	}
	fmt.Printf("%.1f\n", float64(time.Since(t0).Nanoseconds())/float64(n))
}
