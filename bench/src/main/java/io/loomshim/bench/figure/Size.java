package io.loomshim.bench.figure;

/** How much is measured. Only {@link #FULL} gives figures worth quoting. */
public enum Size {
  /** Each scenario once or twice: shows that all of it works, in a minute or two. Its figures mean nothing. */
  SMOKE(2, 1, new int[] {1, 3}, new int[] {1, 3}),
  /** A few minutes. */
  QUICK(30, 5, new int[] {1, 10, 100}, new int[] {10, 100, 1000}),
  /** Within 25 minutes. */
  FULL(100, 15, new int[] {1, 10, 100, 200, 500, 1000}, new int[] {10, 100, 1000, 2000, 5000});

  private static final int PAUSE_MILLIS = 50;

  /** Runs of a whole command. */
  private final int commands;

  /** Rounds of many calls each. */
  private final int rounds;

  /** Numbers of containers that run at once. */
  private final int[] densities;

  /** Numbers of containers beside which execs are made. */
  private final int[] crowds;

  Size(int commands, int rounds, int[] densities, int[] crowds) {
    this.commands = commands;
    this.rounds = rounds;
    this.densities = densities;
    this.crowds = crowds;
  }

  public int commands() {
    return commands;
  }

  public int rounds() {
    return rounds;
  }

  /** Before each command that is timed alone, see {@code Plan.pause}. */
  public int pauseMillis() {
    return this == SMOKE ? 0 : PAUSE_MILLIS;
  }

  public int[] densities() {
    return densities.clone();
  }

  public int[] crowds() {
    return crowds.clone();
  }

  /** The one of three numbers that is for this size. */
  public int pick(int smoke, int quick, int full) {
    return switch (this) {
      case SMOKE -> smoke;
      case QUICK -> quick;
      case FULL -> full;
    };
  }

  public static Size of(String name) {
    return valueOf(name.toUpperCase(java.util.Locale.ROOT));
  }
}
