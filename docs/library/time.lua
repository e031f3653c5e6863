---@meta

---Durations are seconds. Negative ones count as zero, infinite ones as forever; NaN is an error.
---@class timelib
---@field nanosecond number
---@field microsecond number
---@field millisecond number
---@field second integer
---@field minute integer
---@field hour integer
time = {}

---Blocks the goroutine for `d` seconds.
---@param d number
function time.sleep(d) end

---A receive-only channel that gets the time once, after `d` seconds.
---@param d number
---@return chan<number>
---@nodiscard
function time.after(d) end

---A receive-only channel that gets the time every `d` seconds; nil if `d` is zero or less.
---@param d number
---@return chan<number>?
---@nodiscard
function time.tick(d) end

---@class time.timer
---@field c chan<number> receive-only: gets the time when the timer fires; nil for a timer of `time.afterfunc`
local timer = {}

---A timer whose channel `c` receives the time once, after `d` seconds.
---@param d number
---@return time.timer
---@nodiscard
function time.timer(d) end

---Calls `f()` in a goroutine of its own after `d` seconds.
---@param d number
---@param f function
---@return time.timer
function time.afterfunc(d, f) end

---Stops it. No stale value comes after that.
---@return boolean pending
function timer:stop() end

---Starts it again for `d` seconds. No stale value comes after that.
---@param d number
---@return boolean pending
function timer:reset(d) end

---@class time.ticker
---@field c chan<number> receive-only: gets the time at each tick
local ticker = {}

---A ticker whose channel `c` receives the time every `d` seconds. A slow receiver misses ticks. Raises an error if `d` is zero or less.
---@param d number
---@return time.ticker
---@nodiscard
function time.ticker(d) end

---No more ticks, until it is reset.
function ticker:stop() end

---Ticks every `d` seconds from now on.
---@param d number
function ticker:reset(d) end

---The wall clock: seconds since 1970.
---@return number
---@nodiscard
function time.now() end

---Seconds of a clock that never jumps.
---@return number
---@nodiscard
function time.monotonic() end

---Seconds since `t` of `time.now()`.
---@param t number
---@return number
---@nodiscard
function time.since(t) end

---A duration as Go prints it: `1m30.5s`.
---@param d number
---@return string
---@nodiscard
function time.format(d) end
