// SPDX-License-Identifier: MIT
//
// A C++ host: handles that release themselves, a C++ function that Lua calls and another thread completes.
//   c++ -std=c++17 host.cpp $(pkg-config --cflags --libs lungo) -pthread
#include <lua.hpp>
#include <lungo.h>
#include <chrono>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

struct Release {
  void operator()(lungo_Runtime *rt) const { lungo_free(rt, 1); }
  void operator()(lungo_Task *t) const { lungo_release(t); }
};
using Runtime = std::unique_ptr<lungo_Runtime, Release>;
using Task = std::unique_ptr<lungo_Task, Release>;

// slow(x): the goroutine waits, no thread does. Nothing with a destructor may live where Lua raises or parks.
static int slow(lua_State *L) {
  lua_Integer x = luaL_checkinteger(L, 1);
  lungo_Async *a = lungo_async(L);
  std::thread([a, x] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    lungo_Value v = lungo_integer(x + 1);
    lungo_complete(a, 1, &v);
  }).detach();
  return lungo_await(L, a);
}

static int setup(lua_State *L) {
  lua_register(L, "slow", slow);
  return 0;
}

static lua_Integer run(lungo_Runtime *rt, const std::string &code) {
  lungo_Job job{};
  job.code = code.c_str();
  Task t(lungo_start(rt, &job));
  if (!t || lungo_wait(t.get(), 5) != LUNGO_OK) throw std::runtime_error(t ? lungo_error(t.get()) : "no memory");
  return lungo_result(t.get(), 0)->u.i;
}

int main() {
  lungo_Options o;
  lungo_defaults(&o);
  o.setup = setup;
  Runtime rt(lungo_new(&o, nullptr, 0));
  try {
    std::printf("%lld\n", static_cast<long long>(run(rt.get(), "local wg, sum = sync.waitgroup(), atomic.int() "
                                                               "for i = 1, 10 do wg:go(function() sum:add(slow(i)) end) end "
                                                               "wg:wait() return sum:load()")));
    run(rt.get(), "error('caught in C++')");
  } catch (const std::exception &e) {
    std::printf("%.*s\n", 35, e.what());
  }
  return 0;
}
