import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The samples of one run: {@code raw.csv} with the lines {@code figure,n,side,value,unit}, where n is a number of
 * containers, connections or mebibytes, or empty. Any thread may add; {@code lock} guards everything.
 */
final class Samples {
  /** The n of a figure that has none. */
  static final int NONE = -1;

  private static final String HEADER = "figure,n,side,value,unit";

  private record Key(String figure, int n, String side) {}

  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Key, List<Double>> values = new LinkedHashMap<>();
  private final PrintWriter file;

  private Samples(PrintWriter file) {
    this.file = file;
  }

  /** An empty set that writes every sample to {@code csv} at once. */
  static Samples create(Path csv) throws IOException {
    var samples = new Samples(new PrintWriter(Files.newBufferedWriter(csv), true));
    samples.file.println(HEADER);
    return samples;
  }

  /** The samples of an earlier run. */
  static Samples read(Path csv) throws IOException {
    var samples = new Samples(new PrintWriter(PrintWriter.nullWriter()));
    List<String> lines = Files.readAllLines(csv);
    if (!lines.getFirst().equals(HEADER)) {
      throw new IOException(csv + " does not begin with " + HEADER);
    }
    for (String line : lines.subList(1, lines.size())) {
      String[] cells = line.split(",");
      int n = cells[1].isEmpty() ? NONE : Integer.parseInt(cells[1]);
      samples.put(new Key(cells[0], n, cells[2]), Double.parseDouble(cells[3]));
    }
    return samples;
  }

  void add(Figure figure, Side side, double value) {
    add(figure, NONE, side, value);
  }

  void add(Figure figure, int n, Side side, double value) {
    lock.lock();
    try {
      String count = n == NONE ? "" : Integer.toString(n);
      String unit = figure.unit().name().toLowerCase(Locale.ROOT);
      file.printf(Locale.ROOT, "%s,%s,%s,%.4f,%s%n", figure.key(), count, side.name(), value, unit);
      put(new Key(figure.key(), n, side.name()), value);
    } finally {
      lock.unlock();
    }
  }

  private void put(Key key, double value) {
    values.computeIfAbsent(key, k -> new ArrayList<>()).add(value);
  }

  /** What was measured; empty if nothing was. */
  Spread of(Figure figure, int n, Side side) {
    lock.lock();
    try {
      return new Spread(values.getOrDefault(new Key(figure.key(), n, side.name()), List.of()));
    } finally {
      lock.unlock();
    }
  }

  /** Whether anything was measured of this side. */
  boolean has(Side side) {
    lock.lock();
    try {
      return values.keySet().stream().anyMatch(key -> key.side().equals(side.name()));
    } finally {
      lock.unlock();
    }
  }

  /** The median of loom divided by that of {@code than}; not a number if one of them was not measured. */
  double ratio(Figure figure, int n, Side than) {
    return ratio(figure, n, Side.LOOM, than);
  }

  /** The median of {@code side} divided by that of {@code than}; not a number if one of them was not measured. */
  double ratio(Figure figure, int n, Side side, Side than) {
    Spread one = of(figure, n, side);
    Spread other = of(figure, n, than);
    return one.empty() || other.empty() || other.median() == 0 ? Double.NaN : one.median() / other.median();
  }

  /** The medians of a figure by n, for each of the sides that has any. */
  Map<Side, Map<Integer, Double>> lines(Figure figure, List<Side> sides) {
    var lines = new LinkedHashMap<Side, Map<Integer, Double>>();
    for (Side side : sides) {
      var line = new TreeMap<Integer, Double>();
      for (int n : counts(figure)) {
        Spread spread = of(figure, n, side);
        if (!spread.empty()) {
          line.put(n, spread.median());
        }
      }
      if (!line.isEmpty()) {
        lines.put(side, line);
      }
    }
    return lines;
  }

  /** The numbers n that a figure was measured with, in order. */
  List<Integer> counts(Figure figure) {
    lock.lock();
    try {
      var counts = new TreeSet<Integer>();
      for (Key key : values.keySet()) {
        if (key.figure().equals(figure.key())) {
          counts.add(key.n());
        }
      }
      return List.copyOf(counts);
    } finally {
      lock.unlock();
    }
  }
}
