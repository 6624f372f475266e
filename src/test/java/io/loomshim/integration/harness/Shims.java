package io.loomshim.integration.harness;

import com.google.protobuf.Any;
import com.google.protobuf.MessageLite;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;

/**
 * Plays containerd's part towards a shim: runs its {@code start} and {@code delete} and takes its
 * events. There is no containerd behind the address that the shims are told. Used from one thread.
 */
public final class Shims implements AutoCloseable {
  private static final Duration START_MAX = Await.seconds(60);

  /** A plain address, which means version 2 of the task API, or one in JSON, with version 3. */
  private static final Pattern ANSWER =
      Pattern.compile("(\\{\"version\":3,\"address\":\")?unix://(/[^\"{}]+)(?:\",\"protocol\":\"ttrpc\"})?");

  /** That of a host which is not an English one; no shim may care. */
  private static final Map<String, String> LANGUAGE = Map.of("LC_ALL", "de_DE.ISO-8859-1", "LANGUAGE", "de:en");

  private final List<String> prefix;
  private final Path directory;
  private final Path rootfs;
  private final String address;
  private final String namespace = Names.namespace();
  private final EventSink sink;

  public Shims(Path directory, Path rootfs) throws IOException {
    this(directory, rootfs, List.of());
  }

  /** {@code prefix} is a program with arguments that runs the shim's. */
  public Shims(Path directory, Path rootfs, List<String> prefix) throws IOException {
    this.prefix = prefix;
    this.directory = Files.createDirectories(directory);
    this.rootfs = rootfs;
    this.address = Names.address(directory.resolve("grpc"));
    this.sink = EventSink.open(directory.resolve("events"));
  }

  public String namespace() {
    return namespace;
  }

  public EventSink sink() {
    return sink;
  }

  /** A bundle for {@code command} on the shared root file system. */
  public Bundle bundle(String id, String... command) {
    return bundleOn(rootfs.toString(), id, command);
  }

  /** The same on {@code root}, a path that may be relative to the bundle. */
  public Bundle bundleOn(String root, String id, String... command) {
    return Bundle.create(directory, id, Bundle.config(root, "/" + namespace + "/" + id, command));
  }

  /** Wraps a message as containerd's clients do: the type is the bare name. */
  public static Any any(String type, MessageLite message) {
    return Any.newBuilder().setTypeUrl(type).setValue(message.toByteString()).build();
  }

  /** Runs {@code start} for the bundle and connects to the address that it prints. */
  public ShimClient start(Shim shim, Bundle bundle, Optional<Any> options) {
    var chosen = options.isPresent() ? options : OciRuntime.options();
    var result = action(shim, bundle, chosen, "start");
    var answer = ANSWER.matcher(result.text().strip());
    if (result.exit() != 0 || !answer.matches()) {
      throw new AssertionError(result);
    }
    return ShimClient.connect(this, shim, bundle, Path.of(answer.group(2)), answer.group(1) == null ? 2 : 3, chosen);
  }

  /** The container of a sandbox whose shim is {@code sandbox}: containerd 2 asks for no start, and speaks version 3. */
  public ShimClient join(ShimClient sandbox, Shim shim, Bundle bundle) {
    return ShimClient.connect(this, shim, bundle, sandbox.socket(), 3, OciRuntime.options());
  }

  public ShimClient start(Shim shim, Bundle bundle) {
    return start(shim, bundle, Optional.empty());
  }

  /** Runs {@code delete}, which prints the bytes of a DeleteResponse. */
  public Exec.Result delete(Shim shim, Bundle bundle) {
    return action(shim, bundle, Optional.empty(), "delete");
  }

  /** Runs the shim's program until all that could write to its output is gone, as containerd does. */
  private Exec.Result action(Shim shim, Bundle bundle, Optional<Any> options, String action) {
    var command = new ArrayList<>(prefix);
    command.addAll(List.of(shim.program().toString(), "-namespace", namespace, "-address", address,
        "-publish-binary", Containerd.PROGRAM.toString(), "-id", bundle.id()));
    if (action.equals("delete")) {
      command.addAll(List.of("-bundle", bundle.path().toString()));
    }
    command.add(action);
    var builder = new ProcessBuilder(command).directory(bundle.path().toFile()).redirectErrorStream(true);
    builder.environment().putAll(Map.of("TTRPC_ADDRESS", sink.socket().toString(), "GOMAXPROCS", "2", "PATH",
        Containerd.path()));
    builder.environment().putAll(LANGUAGE);
    try {
      Path stdin = Files.createTempFile(directory, "options", "");
      Files.write(stdin, options.map(Any::toByteArray).orElse(new byte[0]));
      var process = builder.redirectInput(options.isPresent() ? stdin.toFile() : Path.of("/dev/null").toFile()).start();
      var output = CompletableFuture.supplyAsync(() -> read(process));
      byte[] bytes = output.get(START_MAX.toSeconds(), TimeUnit.SECONDS);
      int exit = process.waitFor();
      Files.delete(stdin);
      return new Exec.Result(command, exit, bytes, new byte[0]);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException | ExecutionException | TimeoutException e) {
      throw new AssertionError("no end of the output of " + command, e);
    }
  }

  private static byte[] read(Process process) {
    try {
      return process.getInputStream().readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    sink.close();
  }

  /** Closes this, ends our daemons of its namespace, and removes its directory. */
  public void remove() {
    for (var daemon : Install.get().daemons()) {
      if (daemon.directory().toString().contains("@" + namespace + "@")) {
        Proc.terminate(daemon.pid());
        Await.until("the daemon has ended", () -> !daemon.alive());
      }
    }
    close();
    Names.forget(directory.resolve("grpc"));
    Scratch.remove(directory);
  }
}
