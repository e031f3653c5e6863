-- No case at all: blocks for ever.
-- expect-status: 2
-- expect-stderr: goroutine 1 \[select \(no cases\)\]:
select {}
