// Four goroutines send, four receive, over one channel (buffer: first argument, default 0). Prints ns per value.
package main

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	n, each, size := 4, 250000, 0
	if len(os.Args) > 1 {
		size, _ = strconv.Atoi(os.Args[1])
	}
	c := make(chan int, size)
	var senders, receivers sync.WaitGroup
	var total int64
	t0 := time.Now()
	for i := 0; i < n; i++ {
		senders.Add(1)
		go func() {
			defer senders.Done()
			for i := 1; i <= each; i++ {
				c <- i
			}
		}()
		receivers.Add(1)
		go func() {
			defer receivers.Done()
			sum := 0
			for v := range c {
				sum += v
			}
			atomic.AddInt64(&total, int64(sum))
		}()
	}
	senders.Wait()
	close(c)
	receivers.Wait()
	if int(total) != n*(each*(each+1)/2) {
		panic("wrong sum")
	}
	fmt.Printf("%.1f\n", float64(time.Since(t0).Nanoseconds())/float64(n*each))
}
