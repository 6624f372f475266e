package io.loomshim.errors;

/** Which errors say that something has run out, so that the same may succeed later. Stateless. */
public final class Scarcity {
  private Scarcity() {}

  /** Whether {@code error} is one of them. */
  public static boolean of(Throwable error) {
    if (error instanceof Scarce known) {
      return known.scarce();
    }
    return error instanceof OutOfMemoryError || JdkTexts.ranOut(error);
  }
}
