// How loud one frequency is in a sound.

/** A sine wave of amplitude 0.5. */
export function tone(hertz, rate, seconds) {
  return Float32Array.from({ length: Math.round(rate * seconds) }, (_, at) => 0.5 * Math.sin((2 * Math.PI * hertz * at) / rate));
}

/** dB against a full-scale sine, by a Hann-windowed discrete Fourier transform at one place. */
export function decibelsAt(hertz, samples, rate) {
  let real = 0;
  let imaginary = 0;
  for (let at = 0; at < samples.length; at += 1) {
    const weighed = samples[at] * (1 - Math.cos((2 * Math.PI * at) / samples.length));
    real += weighed * Math.cos((2 * Math.PI * hertz * at) / rate);
    imaginary += weighed * Math.sin((2 * Math.PI * hertz * at) / rate);
  }
  return 20 * Math.log10((2 * Math.hypot(real, imaginary)) / samples.length + 1e-12);
}
