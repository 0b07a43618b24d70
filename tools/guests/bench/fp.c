/* Floating-point workloads. Compiled once with the architecture's default float
   ABI (suffix empty) and, on ARM, a second time with VFP code (SUFFIX=_vfp). */
#include <math.h>
#include <string.h>
#include "bench.h"
/* How much work, as a factor: 1 where floating point is done in software. */
#ifndef FPMUL
#define FPMUL 5
#endif
#ifndef SUFFIX
#define SUFFIX
#endif
#define CAT2(a, b) a##b
#define CAT(a, b) CAT2(a, b)
#define F(x) CAT(x, SUFFIX)

static uint64_t bits(double d) {
  uint64_t u;
  memcpy(&u, &d, 8);
  return u;
}

/* square root by Newton steps: no libm, so both float ABIs run their own code */
static double nsqrt(double x) {
  double r = x > 1 ? x : 1;
  for (int i = 0; i < 12; i++) r = 0.5 * (r + x / r);
  return r;
}

struct body {
  double x, y, z, vx, vy, vz, m;
};
uint64_t F(t_nbody)(int pct) {
  static const struct body init[5] = {
      {0, 0, 0, 0, 0, 0, 39.47841760435743},
      {4.84143144246472090, -1.16032004402742839, -0.10362204447112311, 0.60632639299583202, 2.81198684491626016,
       -0.02521836165988763, 0.03769367487038949},
      {8.34336671824457987, 4.12479856412430479, -0.40352341711432137, -1.01077434617879236, 1.82566237123041186,
       0.00841576137658415, 0.01128632613196877},
      {12.8943695621391310, -15.1111514016986312, -0.22330757889265573, 1.08279100644153536, 0.86871301816960822,
       -0.01083263740136364, 0.00172372405705971},
      {15.3796971148509165, -25.9193146099879641, 0.17925877295037118, 0.97909073224389798, 0.59469899864767617,
       -0.03475595555078104, 0.00203368686992463}};
  struct body b[5];
  memcpy(b, init, sizeof b);
  long n = FPMUL * scaled(40000, pct);
  for (long s = 0; s < n; s++) {
    for (int i = 0; i < 5; i++)
      for (int j = i + 1; j < 5; j++) {
        double dx = b[i].x - b[j].x, dy = b[i].y - b[j].y, dz = b[i].z - b[j].z;
        double d2 = dx * dx + dy * dy + dz * dz;
        double mag = 0.001 / (d2 * nsqrt(d2));
        b[i].vx -= dx * b[j].m * mag;
        b[i].vy -= dy * b[j].m * mag;
        b[i].vz -= dz * b[j].m * mag;
        b[j].vx += dx * b[i].m * mag;
        b[j].vy += dy * b[i].m * mag;
        b[j].vz += dz * b[i].m * mag;
      }
    for (int i = 0; i < 5; i++) {
      b[i].x += 0.001 * b[i].vx;
      b[i].y += 0.001 * b[i].vy;
      b[i].z += 0.001 * b[i].vz;
    }
  }
  uint64_t h = FNV0;
  for (int i = 0; i < 5; i++) h = fnv_be64(bits(b[i].x), fnv_be64(bits(b[i].vy), h));
  return h;
}

uint64_t F(t_mandel)(int pct) {
  int w = 320;
  long rows = FPMUL * scaled(240, pct);
  uint64_t h = FNV0;
  for (long y = 0; y < rows; y++)
    for (int x = 0; x < w; x++) {
      double cr = x * (3.0 / w) - 2.0, ci = (y % 120) * (2.4 / 120) - 1.2, zr = 0, zi = 0;
      int k = 0;
      for (; k < 255; k++) {
        double a = zr * zr, b = zi * zi;
        if (a + b > 4.0) break;
        zi = 2 * zr * zi + ci;
        zr = a - b + cr;
      }
      h = (h ^ (unsigned)k) * 0x100000001b3ull;
    }
  return h;
}

uint64_t F(t_matmul)(int pct) {
  enum { N = 96 };
  static double a[N][N], b[N][N], c[N][N];
  uint32_t s = 1;
  uint64_t h = FNV0;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      a[i][j] = (int)(lcg(&s) >> 20) * 0.001;
      b[i][j] = (int)(lcg(&s) >> 20) * 0.002 - 1;
    }
  for (long r = 0, n = FPMUL * scaled(20, pct); r < n; r++) {
    for (int i = 0; i < N; i++)
      for (int j = 0; j < N; j++) {
        double t = 0;
        for (int k = 0; k < N; k++) t += a[i][k] * b[k][j];
        c[i][j] = t;
      }
    a[r % N][0] += c[0][r % N] * 1e-6;
  }
  for (int i = 0; i < N; i++) h = fnv_be64(bits(c[i][i]), h);
  return h;
}

uint64_t F(t_fir32)(int pct) { /* single precision */
  enum { T = 32, L = 4096 };
  static float x[L + T], k[T], y[L];
  uint32_t s = 7;
  uint64_t h = FNV0;
  for (int i = 0; i < L + T; i++) x[i] = (float)((int)(lcg(&s) >> 16) - 32768) * (1.0f / 32768);
  for (int i = 0; i < T; i++) k[i] = (float)(i + 1) / T;
  for (long r = 0, n = FPMUL * scaled(100, pct); r < n; r++) {
    for (int i = 0; i < L; i++) {
      float t = 0;
      for (int j = 0; j < T; j++) t += x[i + j] * k[j];
      y[i] = t;
    }
    x[r % L] = y[r % L] * 0.01f;
  }
  for (int i = 0; i < L; i += 64) {
    uint32_t u;
    memcpy(&u, &y[i], 4);
    h = fnv_be64(u, h);
  }
  return h;
}
