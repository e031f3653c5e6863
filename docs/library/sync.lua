---@meta

---Locks, groups and containers for several goroutines. Locks are not reentrant and have no owner.
---@class synclib
sync = {}

---What a condition can be made for.
---@alias sync.locker sync.mutex|sync.rwmutex|sync.rlocker|{ lock: fun(self: any), unlock: fun(self: any) }

-- mutex ---------------------------------------------------------------------------------------------------------------

---One goroutine at a time can lock it. Unlocks when closed: `local _ <close> = m:lock()`.
---@class sync.mutex
local mutex = {}

---An unlocked mutex.
---@return sync.mutex
---@nodiscard
function sync.mutex() end

---Blocks until the mutex is free, and locks it.
---@return sync.mutex self
function mutex:lock() end

---Unlocks. Raises an error if it is not locked.
function mutex:unlock() end

---Locks if the mutex is free, and says whether. Never blocks.
---@return boolean locked
---@nodiscard
function mutex:trylock() end

-- rwmutex -------------------------------------------------------------------------------------------------------------

---A lock for one writer or any number of readers. A waiting writer keeps new readers out.
---@class sync.rwmutex
local rwmutex = {}

---An unlocked rwmutex.
---@return sync.rwmutex
---@nodiscard
function sync.rwmutex() end

---Blocks until there is neither a writer nor a reader, and locks for writing. Unlocks when closed.
---@return sync.rwmutex self
function rwmutex:lock() end

---The writer is done. Raises an error if there is none.
function rwmutex:unlock() end

---Locks for writing if that needs no waiting, and says whether.
---@return boolean locked
---@nodiscard
function rwmutex:trylock() end

---Blocks while somebody writes or waits to write, and locks for reading. Unlocks when closed.
---@return sync.rlocker
function rwmutex:rlock() end

---One reader is done. Raises an error if there is none.
function rwmutex:runlock() end

---Locks for reading if that needs no waiting, and says whether.
---@return boolean locked
---@nodiscard
function rwmutex:tryrlock() end

---The reader's side of an rwmutex.
---@class sync.rlocker
local rlocker = {}

---Locks for reading.
---@return sync.rlocker self
function rlocker:lock() end

---One reader is done.
function rlocker:unlock() end

-- waitgroup -----------------------------------------------------------------------------------------------------------

---A counter of goroutines to wait for.
---@class sync.waitgroup
local waitgroup = {}

---A wait group at zero.
---@return sync.waitgroup
---@nodiscard
function sync.waitgroup() end

---Starts a goroutine that calls `f(...)`, and counts it until it ends, however it ends.
---@param f function
---@param ... any
function waitgroup:go(f, ...) end

---Adds `n` (default 1). Raises an error if the counter becomes negative.
---@param n? integer
function waitgroup:add(n) end

---Counts down by one. Raises an error if the counter becomes negative.
function waitgroup:done() end

---Blocks until the counter is zero.
function waitgroup:wait() end

-- once ----------------------------------------------------------------------------------------------------------------

---`once(f, ...)` calls `f(...)` the first time; later calls only wait until the first has finished.
---@class sync.once
---@overload fun(f: function, ...: any)

---A once of which nothing was called yet.
---@return sync.once
---@nodiscard
function sync.once() end

---A function that calls `f()` the first time, and returns its results, or raises its error, every time.
---@generic F: function
---@param f F
---@return F
---@nodiscard
function sync.oncevalue(f) end

-- cond ----------------------------------------------------------------------------------------------------------------

---A condition to wait for under a lock.
---@class sync.cond
local cond = {}

---A condition for the lock `l`.
---@param l sync.locker
---@return sync.cond
---@nodiscard
function sync.cond(l) end

---Unlocks the lock, blocks until it is woken, and locks again. The caller holds the lock, and tests the condition in a loop.
function cond:wait() end

---Wakes the one that waits longest.
function cond:signal() end

---Wakes all that wait.
function cond:broadcast() end

-- semaphore -----------------------------------------------------------------------------------------------------------

---A number of units that goroutines take and give back.
---@class sync.semaphore
local semaphore = {}

---A semaphore with `n` units.
---@param n integer
---@return sync.semaphore
---@nodiscard
function sync.semaphore(n) end

---Blocks until `k` units (default 1) are free, and takes them; nil and the context's error if `ctx` is cancelled before.
---@param k? integer
---@param ctx? context
---@return true? ok
---@return string? err
function semaphore:acquire(k, ctx) end

---Takes `k` units (default 1) if they are free and nobody waits, and says whether.
---@param k? integer
---@return boolean acquired
---@nodiscard
function semaphore:tryacquire(k) end

---Gives `k` units (default 1) back. Raises an error for more than were taken.
---@param k? integer
function semaphore:release(k) end

-- errgroup ------------------------------------------------------------------------------------------------------------

---Goroutines that work on parts of one task. The first to raise an error, or to return nil and an error, makes the group fail.
---@class sync.errgroup
local errgroup = {}

---A group, and a context below `ctx` (default: the background) that is cancelled when the group fails.
---@param ctx? context
---@return sync.errgroup group
---@return context ctx
---@nodiscard
function sync.errgroup(ctx) end

---Starts a goroutine that calls `f(...)`. Blocks while as many run as the limit allows.
---@param f function
---@param ... any
function errgroup:go(f, ...) end

---At most `n` goroutines at a time; negative: no limit. Raises an error while goroutines of the group run.
---@param n integer
function errgroup:setlimit(n) end

---Blocks until all goroutines of the group have ended, and cancels its context.
---@return true? ok
---@return any err the first error
function errgroup:wait() end

-- pool ----------------------------------------------------------------------------------------------------------------

---A stock of values to use again.
---@class sync.pool<T>
---The value that was put last, or what `new()` returns.
---@field get fun(self: sync.pool<T>): T
---Gives a value for somebody to get.
---@field put fun(self: sync.pool<T>, v: T)

---An empty pool; `new` makes a value when there is none.
---@generic T
---@param new? fun(): T
---@return sync.pool<T>
---@nodiscard
function sync.pool(new) end

-- map -----------------------------------------------------------------------------------------------------------------

---A table made for several goroutines: each operation is one step. `#m` is the number of keys; `pairs(m)` iterates.
---@class sync.map
---@operator len: integer
local map = {}

---An empty map.
---@return sync.map
---@nodiscard
function sync.map() end

---The value, or nil.
---@param k any
---@return any v
---@nodiscard
function map:load(k) end

---Sets the value; nil deletes.
---@param k any
---@param v any
function map:store(k, v) end

---The value there is and true; or stores `v` and returns it and false.
---@param k any
---@param v any
---@return any v
---@return boolean loaded
function map:loadorstore(k, v) end

---Deletes; returns the old value and whether there was one.
---@param k any
---@return any old
---@return boolean loaded
function map:loadanddelete(k) end

---Deletes the key.
---@param k any
function map:delete(k) end

---Stores `v`; returns the old value and whether there was one.
---@param k any
---@param v any
---@return any old
---@return boolean loaded
function map:swap(k, v) end

---Stores `new` if the value is `old` (nil: there is none), and says whether.
---@param k any
---@param old any
---@param new any
---@return boolean swapped
function map:compareandswap(k, old, new) end

---Calls `f(k, v)` for each key until it returns false.
---@param f fun(k: any, v: any): boolean?
function map:range(f) end

-- singleflight --------------------------------------------------------------------------------------------------------

---Calls of which those with the same key at the same time are made once.
---@class sync.singleflight
local singleflight = {}

---A group of calls.
---@return sync.singleflight
---@nodiscard
function sync.singleflight() end

---The first result of `f()`, called by one of those who come with the same key at the same time, and whether others shared it.
---@generic T
---@param key any
---@param f fun(): T
---@return T value
---@return boolean shared
function singleflight:run(key, f) end
