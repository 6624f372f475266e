package io.loomshim.errors;

/** Which errors say that something has run out, so that the same may succeed later. Stateless. */
public final class Scarcity {
  private Scarcity() {}

  /** RESOURCE_EXHAUSTED for such an error, UNKNOWN for any other. */
  public static Code code(Throwable error) {
    return of(error) ? Code.RESOURCE_EXHAUSTED : Code.UNKNOWN;
  }

  /** Whether {@code error} is one of them. */
  public static boolean of(Throwable error) {
    if (error instanceof Scarce known) {
      return known.scarce();
    }
    return error instanceof OutOfMemoryError || JdkTexts.ranOut(error);
  }
}
