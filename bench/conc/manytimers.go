// A million timers at once: made, then stopped and reset at random by two goroutines, then fired within a second. Prints ns
// per timer to make and arm, ns per random stop or reset, bytes per timer, seconds from the last due time to the last call.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

func resident() int64 {
	var size, pages int64
	b, _ := os.ReadFile("/proc/self/statm")
	fmt.Sscan(string(b), &size, &pages)
	return pages * 4096
}

func main() {
	const n = 1000000
	var fired int64
	f := func() { atomic.AddInt64(&fired, 1) }
	ts := make([]*time.Timer, n)
	for i := range ts {
		ts[i] = nil
	}
	runtime.GC()
	mem0, t0 := resident(), time.Now()
	for i := range ts {
		ts[i] = time.AfterFunc(time.Duration(1000+i%1000)*time.Second, f)
	}
	made := time.Since(t0)
	mem := resident() - mem0
	t0 = time.Now()
	var wg sync.WaitGroup
	for g := 0; g < 2; g++ {
		g := g
		wg.Add(1)
		go func() {
			defer wg.Done()
			x := uint64(12345 + g)
			for i := 0; i < n/2; i++ {
				x = (x*1103515245 + 12345) & 0x7fffffff
				t := ts[int(x>>4)%(n/2)*2+g]
				if x&0x40000000 == 0 {
					t.Stop()
				} else {
					t.Reset(time.Duration(1000+(x>>10)%1000) * time.Second)
				}
			}
		}()
	}
	wg.Wait()
	changed := time.Since(t0)
	due := time.Now().Add(time.Second)
	for i := range ts {
		ts[i].Reset(time.Until(due) - time.Duration(i%1000)*100*time.Microsecond)
	}
	end := due
	if time.Now().After(end) {
		end = time.Now()
	}
	for atomic.LoadInt64(&fired) < n {
		time.Sleep(time.Millisecond)
	}
	fmt.Printf("%.0f %.0f %.0f %.3f\n", float64(made.Nanoseconds())/n, float64(changed.Nanoseconds())/n, float64(mem)/n, time.Since(end).Seconds())
}
