import com.google.protobuf.Empty;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.loomshim.proto.task.ConnectRequest;
import io.loomshim.proto.task.ConnectResponse;
import io.loomshim.proto.task.KillRequest;
import io.loomshim.proto.task.PidsRequest;
import io.loomshim.proto.task.PidsResponse;
import io.loomshim.proto.task.ShutdownRequest;
import io.loomshim.proto.task.StateRequest;
import io.loomshim.proto.task.StateResponse;
import io.loomshim.ttrpc.Client;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Measures shims side by side on the private containerd that bench.sh has started: each scenario takes the sides in
 * turn, sample by sample, so that a machine whose speed drifts treats them alike. Every sample is a line
 * {@code scenario,side,value,unit} of raw.csv; the table at the end has medians and ratios to the first Go side.
 *
 * <p>Started by bench.sh as a source file, with the class path of the build. Arguments: the scope directory, the
 * namespace, the directory for the results, and {@code quick} or {@code full}.
 */
final class Bench {
  private static final String TASK = "containerd.task.v2.Task";
  private static final Duration LIMIT = Duration.ofSeconds(60);

  /** One way to run a container. */
  private record Side(String name, String runtime, String program, boolean grouped) {}

  private static final List<Side> SIDES = List.of(
      new Side("loom", "io.containerd.loom.v1", "containerd-shim-loom-v1", false),
      new Side("runc.v1", "io.containerd.runc.v1", "containerd-shim-runc-v1", false),
      new Side("runc.v2", "io.containerd.runc.v2", "containerd-shim-runc-v2", false),
      new Side("runc.v2-group", "io.containerd.runc.v2", "containerd-shim-runc-v2", true));

  private final Path scope;
  private final String namespace;
  private final boolean full;
  private final PrintWriter raw;
  private final Map<String, Map<String, List<Double>>> samples = new java.util.LinkedHashMap<>();
  private final Map<String, String> units = new java.util.HashMap<>();
  private int next;

  private Bench(Path scope, String namespace, Path results, boolean full) throws IOException {
    this.scope = scope;
    this.namespace = namespace;
    this.full = full;
    this.raw = new PrintWriter(Files.newBufferedWriter(results.resolve("raw.csv")), true);
    raw.println("scenario,side,value,unit");
  }

  public static void main(String[] args) throws Exception {
    Path results = Path.of(args[2]);
    var bench = new Bench(Path.of(args[0]), args[1], results, args[3].equals("full"));
    bench.run();
    String table = bench.table();
    Files.writeString(results.resolve("summary.md"), table);
    System.out.print(table);
    System.exit(0);
  }

  private void run() throws Exception {
    int runs = full ? 100 : 30;
    runWarm(runs);
    runCold(full ? 30 : 10);
    startAlone(full ? 200 : 60);
    exec(runs);
    calls(full ? 20 : 8);
    for (int count : full ? new int[] {1, 10, 20, 100, 500, 1000} : new int[] {1, 20, 100}) {
      memory(count);
    }
  }

  // ------------------------------------------------------------------------------ scenarios

  private void runWarm(int count) throws Exception {
    progress("ctr run --rm of true, daemon warm");
    for (Side side : SIDES) {
      once(side, namespace); // starts what is to be warm, and fills caches
    }
    for (int i = 0; i < count; i++) {
      for (Side side : SIDES) {
        sample("ctr run --rm true, warm", side, once(side, namespace), "ms");
      }
    }
    for (int i = 0; i < count; i++) {
      sample("runc run true (the floor)", new Side("runc", "", "", false), bareRunc(), "ms");
    }
  }

  private double once(Side side, String where) throws Exception {
    String id = "b" + ++next;
    var command = new ArrayList<>(List.of("ctr", "--address", scope + "/containerd.sock", "-n", where, "run", "--rm"));
    command.addAll(flags(side));
    command.addAll(List.of("--rootfs", scope + "/rootfs", id, "/bin/true"));
    return millis(command, scope);
  }

  private List<String> flags(Side side) {
    var flags = new ArrayList<>(List.of("--runtime", side.runtime(), "--read-only"));
    if (side.grouped()) {
      flags.addAll(List.of("--annotation", "io.containerd.runc.v2.group=bench"));
    }
    return flags;
  }

  private double bareRunc() throws Exception {
    Path bundle = bundle("floor" + ++next);
    double millis = millis(
        List.of("runc", "--root", scope + "/runc", "run", "--bundle", bundle.toString(), bundle.getFileName().toString()),
        bundle);
    remove(bundle);
    return millis;
  }

  /** Each in a namespace of its own, which has no daemon yet. */
  private void runCold(int count) throws Exception {
    progress("ctr run --rm of true, no daemon yet");
    for (int i = 0; i < count; i++) {
      for (Side side : SIDES.subList(0, 2)) {
        sample("ctr run --rm true, cold", side, once(side, namespace + "-cold" + i + side.name()), "ms");
      }
    }
  }

  private void startAlone(int count) throws Exception {
    progress("start alone");
    for (int i = 0; i < count; i++) {
      for (Side side : SIDES.subList(0, 3)) {
        Path bundle = bundle("s" + ++next);
        run(List.of("mkfifo", bundle.resolve("log").toString()));
        // containerd keeps the shim's log open for reading and writing
        try (var log = new RandomAccessFile(bundle.resolve("log").toFile(), "rw")) {
          assert log.getFD().valid();
          sample("start, warm", side, millis(start(side, bundle), bundle), "ms");
          endStarted(side, bundle);
        }
        remove(bundle);
      }
    }
  }

  private List<String> start(Side side, Path bundle) {
    return List.of(side.program(), "-namespace", namespace, "-address", scope + "/containerd.sock",
        "-publish-binary", "/usr/bin/containerd", "-id", bundle.getFileName().toString(), "start");
  }

  private void endStarted(Side side, Path bundle) throws Exception {
    String id = bundle.getFileName().toString();
    if (side.name().equals("loom")) {
      Files.deleteIfExists(Path.of(Files.readString(bundle.resolve("loom.run")).strip(), "leases", id));
      return;
    }
    Path socket = Path.of(Files.readString(bundle.resolve("address")).replace("unix://", ""));
    try (Client client = Client.connect(socket, LIMIT)) {
      client.call(TASK, "Shutdown", ShutdownRequest.newBuilder().setId(id).build(), Empty.parser(), LIMIT, Map.of());
    } catch (IOException e) {
      // a shim that ends itself need not answer
    }
    Files.deleteIfExists(socket);
  }

  private void exec(int count) throws Exception {
    progress("ctr task exec of true");
    var ids = startAll(1, "x");
    for (int i = 0; i < count; i++) {
      for (Side side : SIDES) {
        String id = ids.get(side.name()).getFirst();
        var command = ctr("task", "exec", "--exec-id", "e" + ++next, id, "/bin/true");
        sample("ctr task exec true", side, millis(command, scope), "ms");
      }
    }
    endAll(ids);
  }

  private void calls(int rounds) throws Exception {
    progress("State, Pids and Kill(0) by one caller");
    var ids = startAll(1, "c");
    var clients = new java.util.HashMap<String, Client>();
    for (Side side : SIDES) {
      clients.put(side.name(), Client.connect(socket(ids.get(side.name()).getFirst()), LIMIT));
    }
    for (int round = 0; round < rounds; round++) {
      for (Side side : SIDES) {
        String id = ids.get(side.name()).getFirst();
        Client client = clients.get(side.name());
        var state = StateRequest.newBuilder().setId(id).build();
        sample("State, p50", side, p50(client, "State", state, StateResponse.parser(), 1000), "us");
        var connect = ConnectRequest.newBuilder().setId(id).build();
        sample("Connect, p50", side, p50(client, "Connect", connect, ConnectResponse.parser(), 1000), "us");
        var pids = PidsRequest.newBuilder().setId(id).build();
        sample("Pids, p50", side, p50(client, "Pids", pids, PidsResponse.parser(), 20), "us");
        // SIGCONT (18) to a process that runs changes nothing
        var kill = KillRequest.newBuilder().setId(id).setSignal(18).build();
        sample("Kill, p50", side, p50(client, "Kill", kill, Empty.parser(), 20), "us");
      }
    }
    for (Client client : clients.values()) {
      client.close();
    }
    endAll(ids);
  }

  private <R extends MessageLite> double p50(Client client, String method, MessageLite request, Parser<R> parser,
      int count) throws Exception {
    double[] micros = new double[count];
    for (int i = 0; i < count; i++) {
      long begin = System.nanoTime();
      client.call(TASK, method, request, parser, LIMIT, Map.of());
      micros[i] = (System.nanoTime() - begin) / 1e3;
    }
    Arrays.sort(micros);
    return micros[count / 2];
  }

  private void memory(int count) throws Exception {
    progress("memory and threads with " + count + " containers");
    for (Side side : SIDES) {
      if (count > 100 && side.name().startsWith("runc.v") && !side.grouped()) {
        continue; // one shim each: known per container, and too much for a small machine
      }
      var ids = new ArrayList<String>();
      for (int i = 0; i < count; i++) {
        ids.add(detached(side, "m" + ++next));
      }
      TimeUnit.SECONDS.sleep(2);
      double pss = 0;
      double rss = 0;
      double threads = 0;
      for (long pid : shims(side, ids)) {
        pss += kilobytes(pid, "smaps_rollup", "Pss:");
        rss += kilobytes(pid, "status", "VmRSS:");
        threads += kilobytes(pid, "status", "Threads:");
      }
      sample("PSS, " + count + " containers", side, pss / 1024, "MB");
      sample("RSS, " + count + " containers", side, rss / 1024, "MB");
      sample("OS threads, " + count + " containers", side, threads, "");
      for (String id : ids) {
        end(id);
      }
    }
  }

  // ------------------------------------------------------------------------------- helpers

  private Map<String, List<String>> startAll(int count, String prefix) throws Exception {
    var ids = new java.util.HashMap<String, List<String>>();
    for (Side side : SIDES) {
      for (int i = 0; i < count; i++) {
        ids.computeIfAbsent(side.name(), key -> new ArrayList<>()).add(detached(side, prefix + ++next));
      }
    }
    return ids;
  }

  private void endAll(Map<String, List<String>> ids) throws Exception {
    for (List<String> each : ids.values()) {
      for (String id : each) {
        end(id);
      }
    }
  }

  private String detached(Side side, String id) throws Exception {
    var command = ctr("run", "-d", "--null-io");
    command.addAll(flags(side));
    command.addAll(List.of("--rootfs", scope + "/rootfs", id, "/bin/sleep", "100000"));
    millis(command, scope);
    return id;
  }

  private void end(String id) throws Exception {
    run(ctr("task", "rm", "-f", id));
    run(ctr("container", "rm", id));
  }

  private ArrayList<String> ctr(String... arguments) {
    var command = new ArrayList<>(List.of("ctr", "--address", scope + "/containerd.sock", "-n", namespace));
    command.addAll(List.of(arguments));
    return command;
  }

  private Path socket(String id) throws IOException {
    return Path.of(Files.readString(state(id).resolve("address")).replace("unix://", "").strip());
  }

  private Path state(String id) {
    return scope.resolve("state/io.containerd.runtime.v2.task").resolve(namespace).resolve(id);
  }

  /** The shim processes that serve the containers: the parents of their init processes. */
  private Set<Long> shims(Side side, List<String> ids) throws IOException {
    var pids = new LinkedHashSet<Long>();
    for (String id : ids) {
      long init = Long.parseLong(Files.readString(state(id).resolve("init.pid")).strip());
      pids.add(ProcessHandle.of(init).orElseThrow().parent().orElseThrow().pid());
    }
    return pids;
  }

  private static double kilobytes(long pid, String file, String key) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/" + pid, file))) {
      if (line.startsWith(key)) {
        return Double.parseDouble(line.substring(key.length()).strip().split(" ")[0]);
      }
    }
    throw new IOException("no " + key + " of " + pid);
  }

  private Path bundle(String id) throws IOException {
    Path bundle = Files.createDirectories(scope.resolve("bundles").resolve(id));
    String template = Files.readString(scope.resolve("spec/config.json"));
    Files.writeString(bundle.resolve("config.json"), template.replace("@ID@", id));
    return bundle;
  }

  private static void remove(Path directory) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        Files.delete(file);
      }
    }
    Files.delete(directory);
  }

  private double millis(List<String> command, Path directory) throws Exception {
    var builder = new ProcessBuilder(command).directory(directory.toFile());
    builder.environment().put("TTRPC_ADDRESS", scope + "/containerd.sock.ttrpc");
    builder.redirectInput(Path.of("/dev/null").toFile()).redirectErrorStream(true);
    long begin = System.nanoTime();
    Process process = builder.start();
    byte[] output = process.getInputStream().readAllBytes();
    int status = process.waitFor();
    double millis = (System.nanoTime() - begin) / 1e6;
    if (status != 0) {
      throw new IOException(String.join(" ", command) + ": exit " + status + ": " + new String(output));
    }
    return millis;
  }

  private static void run(List<String> command) throws Exception {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getInputStream().readAllBytes();
    process.waitFor();
  }

  private void sample(String scenario, Side side, double value, String unit) {
    raw.printf(Locale.ROOT, "\"%s\",%s,%.4f,%s%n", scenario, side.name(), value, unit);
    units.put(scenario, unit);
    samples.computeIfAbsent(scenario, key -> new java.util.LinkedHashMap<>())
        .computeIfAbsent(side.name(), key -> new ArrayList<>()).add(value);
  }

  private static void progress(String what) {
    System.err.println("  " + what);
  }

  private String table() {
    var text = new StringBuilder();
    text.append("| scenario (median; 10th-90th percentile) | loom | runc.v1 | runc.v2 | runc.v2, one group | loom / runc.v1 |\n");
    text.append("|---|---|---|---|---|---|\n");
    for (var scenario : samples.entrySet()) {
      text.append("| ").append(scenario.getKey()).append(" |");
      for (Side side : SIDES) {
        text.append(cell(scenario.getValue().get(side.name()), units.get(scenario.getKey()))).append(" |");
      }
      List<Double> loom = scenario.getValue().get("loom");
      List<Double> go = scenario.getValue().get("runc.v1");
      boolean both = loom != null && go != null;
      text.append(both ? String.format(Locale.ROOT, " %.2f |%n", percentile(loom, 50) / percentile(go, 50)) : " |\n");
      List<Double> floor = scenario.getValue().get("runc");
      if (floor != null) {
        text.append("|  runc alone |").append(cell(floor, "ms")).append(" | | | | |\n");
      }
    }
    return text.toString();
  }

  private static String cell(List<Double> values, String unit) {
    if (values == null) {
      return "";
    }
    String spread = values.size() > 2
        ? String.format(Locale.ROOT, " (%s-%s)", number(percentile(values, 10)), number(percentile(values, 90)))
        : "";
    return " " + number(percentile(values, 50)) + " " + unit + spread;
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, value >= 100 ? "%.0f" : value >= 10 ? "%.1f" : "%.2f", value);
  }

  private static double percentile(List<Double> values, int percent) {
    var sorted = new ArrayList<>(values);
    sorted.sort(Double::compare);
    return sorted.get(Math.min(sorted.size() - 1, sorted.size() * percent / 100));
  }
}
