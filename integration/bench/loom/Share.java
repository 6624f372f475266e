/** The time that one side has, so that those after it have as much: an equal part of what is left when it begins. */
final class Share {
  /** What ending a container takes, beside what starting it takes. */
  private static final double ENDING = 0.4;

  private final long end;
  private double nanosEach;

  /**
   * @param end of the time of all, as System.nanoTime() tells it
   * @param sides that have not begun, this one included
   */
  Share(long end, int sides) {
    long now = System.nanoTime();
    this.end = now + (end - now) / sides;
  }

  /** So many containers took so long to start. */
  void took(int containers, long nanos) {
    if (containers > 0) {
      nanosEach = (double) nanos / containers;
    }
  }

  /** Why the time is too short to start {@code more} containers and then to end {@code count}, or nothing. */
  String against(int count, int more) {
    double needs = nanosEach * (more + ENDING * count);
    double left = end - System.nanoTime();
    return needs <= left ? "" : "needs %.0f s more of %.0f".formatted(needs / 1e9, Math.max(0, left / 1e9));
  }
}
