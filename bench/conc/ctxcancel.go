// Cancels a context with 10,000 children, some of them waited for; `make` also counts making them. Prints ns per child.
package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

func main() {
	n, rounds, making := 10000, 20, len(os.Args) > 1 && os.Args[1] == "make"
	var spent time.Duration
	for r := 0; r < rounds; r++ {
		t0 := time.Now()
		parent, cancel := context.WithCancel(context.Background())
		kids := make([]context.Context, n)
		for i := 0; i < n; i++ {
			kids[i], _ = context.WithCancel(parent)
			if i%10 == 0 {
				kids[i].Done()
			}
		}
		if !making {
			t0 = time.Now()
		}
		cancel()
		spent += time.Since(t0)
		for i := 0; i < n; i++ {
			if kids[i].Err() != context.Canceled {
				panic("not canceled")
			}
		}
	}
	fmt.Printf("%.1f\n", float64(spent.Nanoseconds())/float64(n*rounds))
}
