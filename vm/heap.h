// SPDX-License-Identifier: MIT
//
// heap.h: the allocator under the collector: chunks, spans of one size class, a cache of spans per processor.
//
// What:       memory comes in 4 MB-aligned chunks; a chunk holds the mark bits of all its memory (one per 16 bytes)
//             and 64 KB spans. A span serves one size class. Objects above the largest class take whole spans, or a
//             chunk of their own; an object always starts in the first 4 MB of its chunk, so that the mark bit of any
//             object is found from its address alone.
// Invariants: allocation never collects and never blocks on a collection; it only sets POLL_GC. When memory is refused,
//             it lives on a reserve until the next safepoint has collected (heap.c). Callers that are at a safepoint
//             themselves and may ask for much use gc_new_obj (gc.h), which collects before it gives up.
//             A P's cache is touched by the worker that holds the P only (or with the world stopped).
//             Sweeping is exchanging bitmaps: it never touches the objects.
// See also:   gc.h.
#ifndef LUNGO_VM_HEAP_H
#define LUNGO_VM_HEAP_H

#include "state.h"

typedef struct Heap Heap;
typedef struct Cache Cache;

#define HEAP_CHUNK ((uintptr_t)4 << 20)
#define HEAP_GRANULE 16
// The "old size" with which the heap asks the host's allocator for a block that it never uses: it stands for memory of
// ours, so that the host can count and refuse. (The library's own requests, luaL_Buffer's, say 0.)
#define HEAP_TOKEN ((size_t)0x6e656b6f74)

Heap *heap_new(Global *gl);         // NULL: out of memory
void heap_free(Heap *h);            // returns everything to the system; no cache may be in use
Cache *cache_new(Heap *h);          // for a P; NULL: out of memory
void cache_free(Heap *h, Cache *c); // flushes and frees

// A new object of `size` bytes with its header set (flags 0) and the rest undefined. Raises LUA_ERRMEM.
// heap_trynew returns NULL instead. The caller fills it before anyone (or a safepoint) can see it.
void *heap_new_obj(lua_State *L, uint8_t type, size_t size);
void *heap_trynew(Ctx *ctx, uint8_t type, size_t size);
// The same for who knows of no collection that would help (as heap_new_obj does not, either).
void *heap_trynew_here(Ctx *ctx, uint8_t type, size_t size);
// A new cell, its slot undefined, from spans that hold cells only; NULL: out of memory.
Cell *heap_new_cell(lua_State *L);
// Memory without references of its own (OBJ_MEM header included in neither size nor pointer: the pointer returned is
// past the header; heap_mem_obj gives the object to mark). 16-byte aligned when `size` >= 16.
void *heap_mem(lua_State *L, size_t size);
void *heap_trymem(Ctx *ctx, size_t size);
// Gives memory back before the collector would: only for an object that no one else can see (owner unshared).
// A hint: does something only for large ones.
void heap_release(lua_State *L, Obj *o);
// Memory was refused that is not the heap's (malloc's): asks for a collection, which gives memory back to the system.
void heap_press(Ctx *ctx);
// The host's allocator as such, for what C code asks of it: reopens the reserve before it fails; one call at a time.
void *heap_hostalloc(Heap *h, void *p, size_t osize, size_t nsize);
// The object in whose memory p lies, which is alive; NULL if p is not in the heap. Takes the lock.
const Obj *heap_objectof(Heap *h, const void *p);
// The bytes really usable for an object asked for with `size` (its size class); for sizing table blocks.
size_t heap_goodsize(size_t size);

static inline Obj *heap_mem_obj(const void *mem) { return (Obj *)((char *)mem - 16); }

// Bytes in use now (objects allocated since the last sweep included), as collectgarbage("count") * 1024.
size_t heap_bytes(Global *gl);

// ---- mark bits -----------------------------------------------------------------------------------
static inline _Atomic uint64_t *heap_markword(const Obj *o, uint64_t *bit) {
  uintptr_t a = (uintptr_t)o, chunk = a & ~(HEAP_CHUNK - 1);
  size_t g = (a & (HEAP_CHUNK - 1)) / HEAP_GRANULE;
  *bit = UINT64_C(1) << (g & 63);
  return (_Atomic uint64_t *)chunk + (g >> 6);
}
static inline bool heap_ismarked(const Obj *o) {
  uint64_t bit;
  return (atomic_load_explicit(heap_markword(o, &bit), memory_order_relaxed) & bit) != 0;
}

#endif
