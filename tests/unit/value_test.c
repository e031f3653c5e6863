// SPDX-License-Identifier: MIT
//
// value_test.c: conversions, numerals, equality, slots and boxes.
// Protects: vm/value.c, vm/num.c.
#include "objects_fixture.h"
#include <math.h>

static void test_float2int(void) {
  int64_t i;
  CHECK(value_float2int(3.0, &i) && i == 3);
  CHECK(value_float2int(-0.0, &i) && i == 0);
  CHECK(value_float2int(-0x1p63, &i) && i == INT64_MIN);
  CHECK(value_float2int(0x1p53, &i) && i == INT64_C(1) << 53);
  CHECK(!value_float2int(0x1p63, &i) && !value_float2int(3.5, &i));
  CHECK(!value_float2int(NAN, &i) && !value_float2int(INFINITY, &i) && !value_float2int(-INFINITY, &i));
  CHECK(value_floorint(-3.5, &i) && i == -4);
  CHECK(value_ceilint(-3.5, &i) && i == -3);
  CHECK(!value_floorint(0x1p63, &i) && !value_ceilint(NAN, &i));
}

static void is_int(const char *s, int64_t n) {
  Value v;
  CHECK(value_str2number(s, &v) == strlen(s) + 1);
  CHECK(v_isint(&v) && v.i == n);
}

static void is_float(const char *s, double n) {
  Value v;
  CHECK(value_str2number(s, &v) == strlen(s) + 1);
  CHECK(v_isfloat(&v) && memcmp(&v.n, &n, sizeof n) == 0);
}

static void is_none(const char *s) {
  Value v;
  CHECK(value_str2number(s, &v) == 0);
}

static void test_str2number(void) {
  is_int("0", 0);
  is_int("  -12\t\n", -12);
  is_int("+7", 7);
  is_int("9223372036854775807", INT64_MAX);
  is_int("-9223372036854775808", INT64_MIN);
  is_int("0x10", 16);
  is_int("-0xfF", -255);
  is_int("0xffffffffffffffff", -1);
  is_int("0x1ffffffffffffffff", -1); // wraps
  is_float("9223372036854775808", 0x1p63);
  is_float("-9223372036854775809", -0x1p63);
  is_float("1e1", 10.0);
  is_float(".5", 0.5);
  is_float("5.", 5.0);
  is_float("-0.0", -0.0);
  is_float("1e22", 1e22);
  is_float("1e23", 1e23);
}

static void test_floats(void) {
  is_float("0.1", 0.1);
  is_float("3.14159265358979", 3.14159265358979);
  is_float("1e-22", 1e-22);
  is_float("1e-23", 1e-23);
  is_float("1e308", 1e308);
  is_float("1e309", HUGE_VAL);
  is_float("4.9e-324", 4.9e-324);
  is_float("9007199254740993.0", 9007199254740993.0);
  is_float("0x1p4", 16.0);
  is_float("0x.8", 0.5);
  is_float("0xA.8p1", 21.0);
  is_float("  1.5  ", 1.5);
  const char *bad[] = {"",     " ",        "-",   "+-1",  "- 1",  "0x",  "0xg",  "1e",    "1e+",
                       ".",    "e5",       "inf", "-inf", "nan",  "NaN", "1..2", "1 2",   "1e5.0",
                       "0x1p", "infinity", "1,5", "--1",  "0b11", "1_0", "1f",   "0x1.p", "1e 5"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) is_none(bad[i]);
}

// The short way must agree with strtod to the last bit.
static void test_random_floats(void) {
  uint64_t seed = 42;
  for (int i = 0; i < 200000; i++) {
    char buf[64];
    Value v;
    uint64_t m = rnd(&seed) >> (rnd(&seed) % 60);
    int e = (int)(rnd(&seed) % 60) - 30, dot = (int)(rnd(&seed) % 4);
    snprintf(buf, sizeof buf,
             dot == 0   ? "%llue%d"
             : dot == 1 ? "%llu.25e%d"
             : dot == 2 ? "0.%llue%d"
                        : "-%llu.e%d",
             (unsigned long long)m, e);
    double want = strtod(buf, NULL);
    check(value_str2number(buf, &v) == strlen(buf) + 1 && v_isfloat(&v) && v.n == want, buf, __FILE__, __LINE__);
  }
}

static void prints(Value v, const char *want) {
  char buf[VALUE_NUMBUF];
  size_t n = value_num2str(&v, buf, sizeof buf);
  if (strcmp(buf, want) != 0) printf("# %s, not %s\n", buf, want);
  CHECK(strcmp(buf, want) == 0 && n == strlen(want));
}

static void test_num2str(void) {
  prints(vint(0), "0");
  prints(vint(-1), "-1");
  prints(vint(INT64_MIN), "-9223372036854775808");
  prints(vint(INT64_MAX), "9223372036854775807");
  prints(vflt(1), "1.0");
  prints(vflt(-0.0), "-0.0");
  prints(vflt(99999999999999.0), "99999999999999.0");
  prints(vflt(1e14), "1e+14");
  prints(vflt(123456789012345.0), "1.2345678901234e+14");
  prints(vflt(1e100), "1e+100");
  prints(vflt(0.1), "0.1");
  prints(vflt(3.14159265358979), "3.1415926535898");
  prints(vflt(INFINITY), "inf");
  prints(vflt(-INFINITY), "-inf");
  prints(vflt(copysign(NAN, 1)), "nan");
  prints(vflt(copysign(NAN, -1)), "-nan");
}

static void test_equal_mod(lua_State *L) {
  Value a = vint(1), b = vflt(1.0), c = vflt(0x1p53), d = vint((INT64_C(1) << 53) + 1), n = vflt(NAN);
  CHECK(value_rawequal(&a, &b) && value_rawequal(&b, &a));
  CHECK(!value_rawequal(&c, &d) && !value_rawequal(&n, &n));
  Value t = vbool(true), f = vbool(false), x = vnil(), y = vnil();
  x.u = 1; // the payload of nil means nothing
  CHECK(!value_rawequal(&t, &f) && value_rawequal(&x, &y) && !value_rawequal(&x, &f));
  Value s1 = vstr(str_newz(L, "abc")), s2 = vstr(str_intern(L, "abc", 3)), s3 = vstr(str_newz(L, "abd"));
  CHECK(value_rawequal(&s1, &s2) && !value_rawequal(&s1, &s3));
  CHECK(float_mod(5.5, 2) == 1.5 && float_mod(-5.5, 2) == 0.5 && float_mod(5.5, -2) == -0.5);
  CHECK(float_mod(-5.5, -2) == -1.5 && float_mod(1, INFINITY) == 1 && float_mod(-1, INFINITY) == INFINITY);
  CHECK(float_mod(1, -INFINITY) == -INFINITY && isnan(float_mod(1, 0)) && float_mod(-6, 2) == 0);
  CHECK(int_mod(-5, 3) == 1 && int_mod(5, -3) == -1 && int_mod(INT64_MIN, -1) == 0);
  CHECK(int_idiv(-5, 3) == -2 && int_idiv(INT64_MIN, -1) == INT64_MIN && int_idiv(6, -3) == -2);
  CHECK(int_shl(1, 63) == INT64_MIN && int_shl(1, 64) == 0 && int_shl(-1, -63) == 1 && int_shl(1, INT64_MIN) == 0);
}

static void roundtrip(lua_State *L, Value v) {
  Slot s;
  Value out;
  slot_store(&s, v_encode(L, &v));
  bits_decode(&out, slot_load(&s));
  CHECK(out.tag == v.tag && (out.tag == TAG_NIL || value_rawequal(&v, &out) || v.n != v.n));
}

static void test_slots(lua_State *L) {
  int64_t ints[] = {0,
                    1,
                    -1,
                    INT64_MAX,
                    INT64_MIN,
                    (INT64_C(1) << 47) - 1,
                    INT64_C(1) << 47,
                    -(INT64_C(1) << 47),
                    -(INT64_C(1) << 47) - 1};
  double floats[] = {0.0, -0.0, 1.5, -1.5, INFINITY, -INFINITY, 5e-324, -1.7e308};
  for (size_t i = 0; i < sizeof ints / sizeof *ints; i++) roundtrip(L, vint(ints[i]));
  for (size_t i = 0; i < sizeof floats / sizeof *floats; i++) roundtrip(L, vflt(floats[i]));
  roundtrip(L, vflt(copysign(NAN, -1)));
  roundtrip(L, vnil());
  roundtrip(L, vbool(true));
  roundtrip(L, vbool(false));
  roundtrip(L, vlight(NULL));
  roundtrip(L, vlight((void *)UINT64_C(0xfedcba9876543210)));
  roundtrip(L, vstr(str_newz(L, "x")));
}

static void test_strings_as_numbers(lua_State *L) {
  Value out, v = vstr(str_newz(L, " 0x10 ")), z = vstr(str_new(L, "1\0", 2));
  int64_t i;
  double d;
  CHECK(value_tonumber(&v, &out) && out.i == 16);
  CHECK(!value_tonumber(&z, &out)); // "1\0" is no numeral
  v = vstr(str_newz(L, "1e1"));
  CHECK(value_tointeger(&v, &i) && i == 10 && !value_tointeger_nostr(&v, &i));
  CHECK(value_todouble(&v, &d) && d == 10.0);
  v = vstr(str_newz(L, "1.5"));
  CHECK(!value_tointeger(&v, &i));
  v = vbool(true);
  CHECK(!value_tonumber(&v, &out) && !value_tointeger(&v, &i) && !value_todouble(&v, &d));
}

int main(void) {
  lua_State *L = universe();
  test_float2int();
  test_str2number();
  test_floats();
  test_random_floats();
  test_num2str();
  test_equal_mod(L);
  test_slots(L);
  test_strings_as_numbers(L);
  lua_close(L);
  printf("ok %d\n", nchecks);
  return 0;
}
