/* Intervals and paired tests, as vosbench.metrics.significance computes them: VB.stats.

   The bias-corrected and accelerated bootstrap over videos, and the permutation test that swaps two methods within
   videos, with the random numbers that NumPy's generator gives for seed 0, so that a page and `vosbench compare`
   state the same numbers. A test compares the two. */
"use strict";
(() => {
  const RESAMPLES = 9999;
  const FEWEST = 3;
  const EQUAL = 1e-12;
  const LEVEL = 0.95;
  const MOST = 500; // videos; drawing the numbers for more takes seconds

  /* PCG64 (O'Neill, 2014) as NumPy seeds it with 0; 32 bits at a time, the low half first. */
  const MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645n;
  const INCREMENT = 87136372517582989555478159403783844777n;
  const LOW = (1n << 64n) - 1n;
  let state = 35399562948360463058890781895381311971n;
  let drawn = new Uint32Array(1 << 16);
  let count = 0;
  function draw(number) {
    if (number > drawn.length) {
      const longer = new Uint32Array(Math.max(number, 2 * drawn.length));
      longer.set(drawn);
      drawn = longer;
    }
    for (; count < number; count += 2) {
      state = BigInt.asUintN(128, state * MULTIPLIER + INCREMENT);
      const mixed = (state >> 64n) ^ (state & LOW);
      const turn = state >> 122n;
      const word = BigInt.asUintN(64, (mixed >> turn) | (mixed << (64n - turn)));
      drawn[count] = Number(word & 0xffffffffn);
      drawn[count + 1] = Number(word >> 32n);
    }
  }
  /* The number at a place of the sequence. */
  function random(at) {
    if (at >= count) draw(at + 2);
    return drawn[at];
  }

  /* Integers in [0, size), without bias: Lemire, "Fast Random Integer Generation in an Interval", 2019. */
  function integers(size) {
    const threshold = (2 ** 32 - size) % size;
    let at = 0;
    return () => {
      for (;;) {
        const product = random(at) * size; // below 2 ** 53
        at += 1;
        if (product % 2 ** 32 >= threshold) return Math.floor(product / 2 ** 32);
      }
    };
  }

  /* The standard normal distribution: its tail by the continued fraction or the series of erf, its inverse by
     Acklam's approximation and one step of Halley's method. */
  function ndtr(x) {
    const z = Math.abs(x) / Math.SQRT2;
    let tail;
    if (z < 2.5) {
      let term = z;
      let sum = z;
      for (let n = 1; n < 80; n += 1) {
        term *= -z * z / n;
        sum += term / (2 * n + 1);
      }
      tail = 0.5 - sum / Math.sqrt(Math.PI);
    } else {
      let fraction = 0;
      for (let n = 60; n > 0; n -= 1) fraction = n / 2 / (z + fraction);
      tail = Math.exp(-z * z) / (z + fraction) / Math.sqrt(Math.PI) / 2;
    }
    return x > 0 ? 1 - tail : tail;
  }
  function ndtri(p) {
    if (p <= 0) return -Infinity;
    if (p >= 1) return Infinity;
    if (p > 0.5) return -ndtri(1 - p);
    const a = [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239];
    const b = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1];
    const c = [-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783];
    const d = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1];
    const poly = (k, t) => k.reduce((sum, each) => sum * t + each, 0);
    let x;
    if (p < 0.02425) {
      const q = Math.sqrt(-2 * Math.log(p));
      x = poly(c, q) / poly(d, q);
    } else {
      const q = p - 0.5;
      x = poly(a, q * q) * q / poly(b, q * q);
    }
    const step = (ndtr(x) - p) * Math.sqrt(2 * Math.PI) * Math.exp(x * x / 2);
    return x - step / (1 + x * step / 2);
  }

  /* The sum of values[from] to values[to - 1] in the order in which NumPy adds, so that ties are ties in both. */
  function add(values, from, to) {
    const n = to - from;
    if (n > 128) {
      const half = from + Math.floor(n / 16) * 8;
      return add(values, from, half) + add(values, half, to);
    }
    if (n < 8) {
      let sum = 0;
      for (let at = from; at < to; at += 1) sum += values[at];
      return sum;
    }
    const [last, r] = [to - n % 8, values.slice(from, from + 8)];
    for (let at = from + 8; at < last; at += 8) for (let of = 0; of < 8; of += 1) r[of] += values[at + of];
    let sum = r[0] + r[1] + (r[2] + r[3]) + (r[4] + r[5] + (r[6] + r[7]));
    for (let at = last; at < to; at += 1) sum += values[at];
    return sum;
  }
  const mean = (values) => add(values, 0, values.length) / values.length;
  function quantile(ordered, share) {
    const place = Math.min(Math.max(share, 0), 1) * (ordered.length - 1);
    const at = Math.min(Math.floor(place), ordered.length - 2);
    return ordered[at] + (place - at) * (ordered[at + 1] - ordered[at]);
  }

  /* The 95 % interval of a mean over videos, {low, high}; both null for fewer than three values or more than MOST. */
  function meanInterval(values) {
    const ordered = [...values].sort((one, other) => one - other);
    const n = ordered.length;
    if (n < FEWEST || n > MOST) return { low: null, high: null };
    if (ordered[n - 1] - ordered[0] <= EQUAL) return { low: ordered[0], high: ordered[n - 1] };
    const centre = mean(ordered);
    const next = integers(n);
    const means = new Float64Array(RESAMPLES);
    const chosen = new Float64Array(n);
    for (let sample = 0; sample < RESAMPLES; sample += 1) {
      for (let of = 0; of < n; of += 1) chosen[of] = ordered[next()];
      means[sample] = mean(chosen);
    }
    means.sort();
    let below = 0;
    let upTo = 0;
    for (const each of means) {
      if (each < centre) below += 1;
      if (each <= centre) upTo += 1;
    }
    const bias = ndtri((below + upTo) / (2 * RESAMPLES));
    const without = ordered.map((_, at) => mean(ordered.filter((_, of) => of !== at)));
    const middle = mean(without);
    const away = without.map((value) => (n - 1) * (middle - value));
    const cubes = away.reduce((sum, value) => sum + value ** 3, 0) / n ** 3;
    const squares = away.reduce((sum, value) => sum + value ** 2, 0) / n ** 2;
    const skew = cubes / squares ** 1.5 / 6;
    const end = (z) => quantile(means, ndtr(bias + (bias + z) / (1 - skew * (bias + z))));
    const z = ndtri((1 - LEVEL) / 2);
    return { low: end(z), high: end(-z) };
  }

  /* The p of the two-sided permutation test of differences between two methods; null for more than MOST. */
  function permutation(differences) {
    const n = differences.length;
    if (n === 1 || !differences.some((value) => value !== 0)) return { p: 1, exact: true };
    if (n > MOST) return { p: null, exact: false };
    const observed = mean(differences);
    const room = 100 * Number.EPSILON * Math.abs(observed);
    const exact = 2 ** n <= RESAMPLES;
    const swaps = exact ? 2 ** n : RESAMPLES;
    let less = exact ? 0 : 1;
    let greater = less;
    for (let swap = 0; swap < swaps; swap += 1) {
      let sum = 0;
      for (let of = 0; of < n; of += 1) {
        const kept = exact ? swap & (1 << of) : random(swap * n + of) & 1;
        sum += kept ? differences[of] : -differences[of];
      }
      if (sum / n <= observed + room) less += 1;
      if (sum / n >= observed - room) greater += 1;
    }
    return { p: Math.min(1, 2 * Math.min(less, greater) / (swaps + (exact ? 0 : 1))), exact };
  }

  /* Two methods on the same videos: {difference, low, high, p, exact}. Videos are named, and their order is that of
     their names, as in Python. */
  function compare(names, first, second) {
    const order = names.map((_, at) => at).sort((one, other) => (names[one] < names[other] ? -1 : 1));
    const differences = order.map((at) => first[at] - second[at]);
    if (!differences.some((value) => value !== 0)) return { difference: 0, low: 0, high: 0, p: 1, exact: true };
    return { difference: mean(differences), ...meanInterval(differences), ...permutation(differences) };
  }

  VB.stats = { meanInterval, compare, mean, ndtr, ndtri };
})();
