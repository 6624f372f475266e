package io.loomshim.testing;

import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads Prometheus's exposition format as strictly as its collector for text files and its linter do: whole lines, help
 * and type before the samples, all samples of a metric together, none twice, names with the units of that ecosystem,
 * histograms whose buckets add up.
 */
public final class PrometheusText {
  private static final Pattern HELP = Pattern.compile("# HELP ([a-z][a-z0-9_]*) (\\S.*)");
  private static final Pattern TYPE = Pattern.compile("# TYPE ([a-z][a-z0-9_]*) (counter|gauge|histogram)");
  private static final String LABEL = "[a-z][a-z0-9_]*=\"(?:[^\"\\\\\n]|\\\\[\\\\\"n])*\"";
  private static final Pattern SAMPLE =
      Pattern.compile("([a-z][a-z0-9_]*)(?:\\{(" + LABEL + "(?:," + LABEL + ")*)})? (-?[0-9]+(?:\\.[0-9]+)?)");

  private final Map<String, BigDecimal> samples = new LinkedHashMap<>();
  private final Map<String, String> types = new LinkedHashMap<>();

  /**
   * Reads {@code text}.
   *
   * @throws AssertionError with the line, if it is not as strict as it must be
   */
  public PrometheusText(String text) {
    require(text.endsWith("\n"), "the last line has no end");
    String help = "";
    String name = "";
    for (String line : text.substring(0, text.length() - 1).split("\n", -1)) {
      Matcher given = HELP.matcher(line);
      Matcher type = TYPE.matcher(line);
      if (given.matches()) {
        help = given.group(1);
      } else if (type.matches()) {
        name = type.group(1);
        require(name.equals(help), "no help before " + line);
        require(types.put(name, type.group(2)) == null, "a second time " + line);
        require(name.endsWith("_total") == type.group(2).equals("counter"), "_total is for counters: " + line);
        require(!name.matches(".*(_ns|_ms|_millis|_nanos|_kb|_mb)(_total)?"), "not a base unit: " + line);
      } else {
        sample(line, name);
      }
    }
    histograms();
  }

  private void sample(String line, String metric) {
    Matcher sample = SAMPLE.matcher(line);
    require(sample.matches(), "no sample: " + line);
    String type = types.getOrDefault(metric, "");
    String rest = sample.group(1).startsWith(metric) ? sample.group(1).substring(metric.length()) : "?";
    require(type.equals("histogram") ? rest.matches("_bucket|_sum|_count") : rest.isEmpty(),
        "not below its own type: " + line);
    String key = line.substring(0, line.lastIndexOf(' '));
    require(samples.put(key, new BigDecimal(sample.group(3))) == null, "a second time: " + line);
  }

  /** Buckets never go down, and the last one is the count. */
  private void histograms() {
    var last = new TreeMap<String, BigDecimal>();
    for (var sample : samples.entrySet()) {
      String key = sample.getKey();
      if (key.contains("_bucket{")) {
        String series = key.replaceAll(",?le=\"[^\"]*\"", "").replace("_bucket{", "_count{");
        BigDecimal before = last.put(series, sample.getValue());
        require(before == null || before.compareTo(sample.getValue()) <= 0, "a bucket goes down: " + key);
      }
    }
    last.forEach((series, count) -> require(count.equals(samples.get(series)), "buckets do not add up: " + series));
  }

  /** The value of a sample: {@code name} or {@code name{label="value"}} as it is written. */
  public BigDecimal value(String sample) {
    require(samples.containsKey(sample), "no " + sample + " in " + samples.keySet());
    return samples.get(sample);
  }

  /** The samples of a metric that have all these texts in them. */
  public List<String> samples(String name, String... texts) {
    return samples.keySet().stream().filter(key -> key.equals(name) || key.startsWith(name + "{"))
        .filter(key -> List.of(texts).stream().allMatch(key::contains)).toList();
  }

  /** The names and types of all metrics. */
  public Map<String, String> types() {
    return types;
  }

  private static void require(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }
}
