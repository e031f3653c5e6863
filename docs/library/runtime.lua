---@meta

---The scheduler and the collector.
---@class runtimelib
---@field version string such as `lungo 0.1.0`
runtime = {}

---The number of processors until now; sets it when `n` is at least 1.
---@param n? integer
---@return integer before
function runtime.gomaxprocs(n) end

---The CPUs the process may use.
---@return integer
---@nodiscard
function runtime.numcpu() end

---The goroutines that exist now.
---@return integer
---@nodiscard
function runtime.numgoroutine() end

---Gives way to the goroutines that can run.
function runtime.gosched() end

---Ends the goroutine after its deferred calls; no `pcall` stops it.
function runtime.goexit() end

---The number of this goroutine.
---@return integer
---@nodiscard
function runtime.goid() end

---The traceback of this goroutine, or a dump of all.
---@param all? boolean
---@return string
---@nodiscard
function runtime.stack(all) end

---@class runtime.leak
---@field id integer number of the goroutine
---@field state string what it waits for
---@field waited number for how long, in seconds
---@field traceback string
---@field creator? integer number of the goroutine that started it
---@field created? string `file:line` of the place

---The goroutines that nothing can ever wake, in the order of their numbers. Makes a full collection.
---@return runtime.leak[]
---@nodiscard
function runtime.leaks() end

---A full collection, finalizers included.
function runtime.gc() end

---@class runtime.memory
---@field alloc integer bytes in use, garbage since the last collection included
---@field live integer bytes the last collection found alive
---@field nextgc integer the next collection comes when `alloc` reaches this
---@field numgc integer collections
---@field pausemax number seconds
---@field pauselast number seconds
---@field pausetotal number seconds

---The heap and its collections.
---@return runtime.memory
---@nodiscard
function runtime.memstats() end

---@class runtime.counters
---@field gos integer goroutines started
---@field parks integer times a goroutine began to wait
---@field preemptions integer times one was moved behind the others because it computed for long
---@field steals integer times a processor took work from another one
---@field handoffs integer times a processor was taken from a goroutine in the system
---@field spins integer times a processor without work went looking for some

---What the scheduler did since the start.
---@return runtime.counters
---@nodiscard
function runtime.stats() end

---Ties the goroutine to the OS thread it runs on. Calls nest.
function runtime.lockosthread() end

---Takes one `runtime.lockosthread` back.
function runtime.unlockosthread() end
