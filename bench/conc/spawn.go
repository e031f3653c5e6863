// Goroutines that start and end, waited for by a WaitGroup: 200,000 at once, or (first argument "waves") in waves of 100.
// Prints ns per goroutine.
package main

import (
	"fmt"
	"os"
	"sync"
	"time"
)

func main() {
	total := 200000
	wave := total
	if len(os.Args) > 1 && os.Args[1] == "waves" {
		wave = 100
	}
	var wg sync.WaitGroup
	work := func() { wg.Done() }
	t0 := time.Now()
	for w := 0; w < total/wave; w++ {
		wg.Add(wave)
		for i := 0; i < wave; i++ {
			go work()
		}
		wg.Wait()
	}
	fmt.Printf("%.1f\n", float64(time.Since(t0).Nanoseconds())/float64(total))
}
