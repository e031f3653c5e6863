// SPDX-License-Identifier: MIT
//
// num.c: numerals: text to number and number to text.
//
// What:       exactly the numerals of Lua 5.4: decimal and hexadecimal integers (hexadecimal ones wrap around,
//             decimal ones that overflow become floats), floats as strtod reads them but for `inf` and `nan`,
//             blanks around. The decimal point may be '.' or the locale's.
// Why:        most numerals are short. For a decimal mantissa below 2^53 and a power of ten up to 22, one
//             multiplication or division of two exact doubles rounds once and so gives what strtod gives (Clinger,
//             1990), at a tenth of the time; everything else goes to strtod.
// See also:   value.h. Tests: tests/unit/value_test.c.
#include "value.h"
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MAXNUMERAL 200 // longest numeral that is retried with the locale's decimal point

// The C locale's blanks, whatever the locale is now.
static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

static const char *skip_blanks(const char *s) {
  while (is_blank(*s)) s++;
  return s;
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *read_sign(const char *s, bool *neg) {
  *neg = *s == '-';
  return *s == '-' || *s == '+' ? s + 1 : s;
}

// Where the numeral ends, or NULL if it is no integer numeral.
static const char *read_hexint(const char *s, uint64_t *out) {
  const char *start = s;
  uint64_t n = 0;
  for (int d; (d = hex_digit(*s)) >= 0; s++) n = n << 4 | (uint64_t)d;
  *out = n;
  return s != start ? s : NULL;
}

static const char *read_decint(const char *s, bool neg, uint64_t *out) {
  const char *start = s;
  const uint64_t max = (uint64_t)INT64_MAX + neg;
  uint64_t n = 0;
  for (; *s >= '0' && *s <= '9'; s++) {
    unsigned d = (unsigned)(*s - '0');
    if (n > (max - d) / 10) return NULL;
    n = n * 10 + d;
  }
  *out = n;
  return s != start ? s : NULL;
}

// Each reader of a whole numeral returns the address of the terminating zero, or NULL.
static const char *read_int(const char *s, int64_t *out) {
  bool neg;
  uint64_t n;
  s = read_sign(skip_blanks(s), &neg);
  if (s[0] == '0' && (s[1] | 0x20) == 'x') {
    s = read_hexint(s + 2, &n);
  } else {
    s = read_decint(s, neg, &n);
  }
  if (s == NULL) return NULL;
  s = skip_blanks(s);
  if (*s != '\0') return NULL;
  *out = (int64_t)(neg ? 0 - n : n);
  return s;
}

#if FLT_EVAL_METHOD == 0
static const double pow10_exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                     1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

// Digits with an optional point; *shift counts the digits behind it. NULL: none, or too many to be exact.
static const char *read_mantissa(const char *s, uint64_t *mant, int *shift) {
  uint64_t m = 0;
  int digits = 0, point = -1;
  for (;; s++) {
    if (*s >= '0' && *s <= '9') {
      if (++digits > 18) return NULL;
      m = m * 10 + (uint64_t)(*s - '0');
    } else if (*s == '.' && point < 0) {
      point = digits;
    } else {
      break;
    }
  }
  if (digits == 0 || m > UINT64_C(1) << 53) return NULL;
  *mant = m;
  *shift = point < 0 ? 0 : digits - point;
  return s;
}

static const char *read_exponent(const char *s, int *exp) {
  bool neg;
  int e = 0;
  s = read_sign(s, &neg);
  const char *start = s;
  for (; *s >= '0' && *s <= '9'; s++) {
    if (s - start >= 3) return NULL;
    e = e * 10 + (*s - '0');
  }
  *exp = neg ? -e : e;
  return s != start ? s : NULL;
}

static const char *read_shortfloat(const char *s, double *out) {
  bool neg;
  uint64_t mant;
  int shift, exp = 0;
  s = read_mantissa(read_sign(skip_blanks(s), &neg), &mant, &shift);
  if (s == NULL) return NULL;
  if ((*s | 0x20) == 'e' && (s = read_exponent(s + 1, &exp)) == NULL) return NULL;
  s = skip_blanks(s);
  exp -= shift;
  if (*s != '\0' || exp < -22 || exp > 22) return NULL;
  double n = exp < 0 ? (double)mant / pow10_exact[-exp] : (double)mant * pow10_exact[exp];
  *out = neg ? -n : n;
  return s;
}
#else
static const char *read_shortfloat(const char *s, double *out) {
  (void)s, (void)out;
  return NULL; // intermediate results have extra precision here: they would round twice
}
#endif

static const char *read_strtod(const char *s, double *out) {
  char *end;
  *out = strtod(s, &end);
  if (end == s) return NULL;
  s = skip_blanks(end);
  return *s == '\0' ? s : NULL;
}

static char locale_point(void) { return localeconv()->decimal_point[0]; }

// strtod knows the locale's decimal point only; Lua's is '.'.
static const char *read_relocated(const char *s, double *out) {
  char buf[MAXNUMERAL + 1];
  const char *dot = strchr(s, '.');
  size_t n = strlen(s);
  if (dot == NULL || n > MAXNUMERAL) return NULL;
  memcpy(buf, s, n + 1);
  buf[dot - s] = locale_point();
  const char *end = read_strtod(buf, out);
  return end != NULL ? s + (end - buf) : NULL;
}

static const char *read_float(const char *s, double *out) {
  const char *end = read_shortfloat(s, out);
  if (end != NULL) return end;
  if (strpbrk(s, "nN") != NULL) return NULL; // `inf` and `nan` are names in Lua
  end = read_strtod(s, out);
  return end != NULL ? end : read_relocated(s, out);
}

size_t value_str2number(const char *s, Value *out) {
  int64_t i;
  double n;
  const char *end = read_int(s, &i);
  if (end != NULL) {
    v_setint(out, i);
  } else if ((end = read_float(s, &n)) != NULL) {
    v_setfloat(out, n);
  } else {
    return 0;
  }
  return (size_t)(end - s) + 1;
}

static size_t int2str(int64_t i, char *buf) {
  char tmp[24];
  char *p = tmp + sizeof tmp;
  uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
  do {
    *--p = (char)('0' + u % 10);
    u /= 10;
  } while (u != 0);
  if (i < 0) *--p = '-';
  size_t n = (size_t)(tmp + sizeof tmp - p);
  memcpy(buf, p, n);
  buf[n] = '\0';
  return n;
}

static size_t add_point_zero(char *buf, size_t len) {
  buf[len++] = locale_point();
  buf[len++] = '0';
  buf[len] = '\0';
  return len;
}

size_t value_num2str(const Value *num, char *buf, size_t n) {
  if (v_isint(num)) return int2str(num->i, buf);
  double d = num->n;
  // All digits of such a whole number fit "%.14g". Not for -0.0, which has a sign that integers lack.
  if (d > -1e14 && d < 1e14 && d == (double)(int64_t)d && !(d == 0 && signbit(d))) {
    return add_point_zero(buf, int2str((int64_t)d, buf));
  }
  size_t len = (size_t)snprintf(buf, n, "%.14g", d);
  return buf[strspn(buf, "-0123456789")] == '\0' ? add_point_zero(buf, len) : len;
}
