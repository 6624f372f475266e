package io.loomshim.launcher;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;

/**
 * The real launcher, installed by the real install.sh into a directory of the test whose name has
 * blanks and quotes; the daemon is {@link StandInDaemon} in a JVM of its own. Used by one thread, as an
 * {@code @RegisterExtension} of each test.
 */
final class Installation implements BeforeEachCallback, AfterEachCallback {
  /** What a program wrote and how it ended. */
  record Outcome(int status, byte[] stdout, String stderr) {
    String out() {
      return new String(stdout, StandardCharsets.UTF_8);
    }
  }

  static final Path LAUNCHER = Path.of("src/main/launcher");
  static final Path INSTALLER = Path.of("packaging/install.sh").toAbsolutePath();

  Path base;
  Path prefix;
  Path runDir;
  Path shim;
  private final List<String> settings = new ArrayList<>();

  /** Where each test of a class finds what has been installed once, which takes half a second, and a copy of that. */
  private record Kept(Path directory, Path copy) implements AutoCloseable {
    static Kept make() {
      try {
        return new Kept(Files.createTempDirectory("l"), Files.createTempDirectory("l"));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void close() throws IOException {
      remove(directory);
      remove(copy);
    }
  }

  @Override
  public void beforeEach(ExtensionContext context) throws Exception {
    Kept kept = context.getRoot().getStore(Namespace.create(Installation.class))
        .computeIfAbsent(Kept.class, key -> Kept.make(), Kept.class);
    base = kept.directory().resolve("it's");
    Path installed = kept.copy().resolve("installed");
    prefix = base.resolve("pre fix");
    runDir = base.resolve("r d"); // within the 35 characters that a run_dir may have
    shim = prefix.resolve("bin/containerd-shim-loom-v1");
    if (Files.exists(installed)) {
      copy(installed, base);
    } else {
      Outcome outcome = install("--dist", distribution().toString(), "--no-archive");
      if (outcome.status() != 0) {
        throw new AssertionError(outcome.out() + outcome.stderr());
      }
      copy(base, installed);
    }
    set("run_dir", runDir.toString());
  }

  private static void copy(Path from, Path to) throws Exception {
    Outcome outcome = finish(new ProcessBuilder("cp", "-a", "--", from.toString(), to.toString()), null);
    if (outcome.status() != 0) {
      throw new AssertionError(outcome.stderr());
    }
  }

  private static void remove(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  /** Runs install.sh for this prefix with the JDK of this test. */
  Outcome install(String... more) throws Exception {
    List<String> words = new ArrayList<>(List.of(INSTALLER.toString(), "--prefix", prefix.toString()));
    words.addAll(List.of(more));
    if (!words.contains("--uninstall")) {
      words.addAll(List.of("--java", java().toString()));
    }
    return finish(new ProcessBuilder(words), new byte[0]);
  }

  static Path java() {
    return Path.of(System.getProperty("java.home"), "bin", "java");
  }

  Path distribution() throws IOException {
    Path dist = base.resolve("dist");
    String machine = System.getProperty("os.arch").equals("amd64") ? "x86_64" : System.getProperty("os.arch");
    String library = "jni/" + machine + "-Linux/libjffi-1.2.so";
    Path lib = Files.createDirectories(dist.resolve("lib"));
    Files.createDirectories(dist.resolve("bin"));
    Files.createDirectories(lib.resolve(library).getParent());
    Files.copy(LAUNCHER.resolve("containerd-shim-loom-v1"), dist.resolve("bin/containerd-shim-loom-v1"));
    for (String part : List.of("cold.sh", "settings.sh", "check.sh")) {
      Files.copy(LAUNCHER.resolve(part), lib.resolve(part));
    }
    Files.copy(LAUNCHER.resolve("loomshim.conf"), lib.resolve("loomshim.conf"));
    Files.writeString(lib.resolve("version"), "version=9.8.7\nrevision=0123456789ab");
    try (InputStream in = Installation.class.getClassLoader().getResourceAsStream(library)) {
      Files.copy(in, lib.resolve(library));
    }
    Manifest manifest = new Manifest();
    Attributes attributes = manifest.getMainAttributes();
    attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    attributes.put(Attributes.Name.MAIN_CLASS, StandInDaemon.class.getName());
    String entry = StandInDaemon.class.getName().replace('.', '/') + ".class";
    try (JarOutputStream jar =
            new JarOutputStream(Files.newOutputStream(lib.resolve("loomshim.jar")), manifest);
        InputStream in = Installation.class.getClassLoader().getResourceAsStream(entry)) {
      jar.putNextEntry(new ZipEntry(entry));
      in.transferTo(jar);
    }
    return dist;
  }

  /** Adds a line to the user's configuration. */
  void set(String key, String value) throws IOException {
    settings.add(key + "='" + value.replace("'", "'\\''") + "'");
    Files.write(prefix.resolve("etc/loomshim.conf"), settings);
  }

  /** Puts a shell script in the place of the java that was found at installation. */
  Path fakeJava(String body) throws IOException {
    Path java = script("fake jdk/bin/java", body);
    installed("installed_java", java.toString());
    return java;
  }

  /** Makes an executable shell script below the directory of this test. */
  Path script(String name, String body) throws IOException {
    Path script = base.resolve(name);
    Files.createDirectories(script.getParent());
    Files.writeString(script, "#!/bin/sh\n" + body + "\n");
    Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    return script;
  }

  /** Changes what install.sh has written down, which nothing does to a real installation. */
  void installed(String name, String value) throws IOException {
    Path build = prefix.resolve("lib/loomshim/current");
    Path conf = build.resolve("launcher.conf");
    Files.writeString(conf, Files.readString(conf) + name + "='" + value.replace("'", "'\\''") + "'\n");
    Files.deleteIfExists(build.resolve(".settings.conf"));
  }

  /** A shell script that is alone in its directory. */
  Path program(String name, String body) throws IOException {
    Path program = Files.createDirectories(base.resolve("alone")).resolve(name);
    Files.writeString(program, "#!/bin/sh\n" + body + "\n");
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    return program;
  }

  Path bundle(String id) throws IOException {
    return Files.createDirectories(base.resolve("bund les").resolve(id));
  }

  ProcessBuilder command(Path cwd, List<String> arguments) {
    List<String> words = new ArrayList<>(List.of(shim.toString()));
    words.addAll(arguments);
    return new ProcessBuilder(words).directory(cwd.toFile());
  }

  /** The flags that containerd gives to every action. */
  static List<String> flags(String id, String action) {
    return List.of("-namespace", "test", "-address", "/run/c.sock",
        "-publish-binary", "/usr/bin/containerd", "-id", id, action);
  }

  Outcome start(String id) throws Exception {
    return finish(startCommand(id), null);
  }

  Outcome start(String id, byte[] stdin) throws Exception {
    return finish(startCommand(id), stdin);
  }

  ProcessBuilder startCommand(String id) throws IOException {
    return command(bundle(id), flags(id, "start"));
  }

  Outcome delete(String id) throws Exception {
    return finish(command(bundle(id), flags(id, "delete")), null);
  }

  /** Runs to the end; {@code stdin} null stands for /dev/null. */
  static Outcome finish(ProcessBuilder builder, byte[] stdin) throws Exception {
    if (stdin == null) {
      builder.redirectInput(Path.of("/dev/null").toFile());
    }
    Process process = builder.start();
    if (stdin != null) {
      try (OutputStream out = process.getOutputStream()) {
        out.write(stdin);
      } catch (IOException e) {
        // the program did not read all of it
      }
    }
    return collect(process);
  }

  static Outcome collect(Process process) throws Exception {
    byte[] stdout = process.getInputStream().readAllBytes();
    String stderr = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Outcome(process.waitFor(), stdout, stderr);
  }

  /** The run directory that {@code start} recorded for a container. */
  Path run(String id) throws IOException {
    return Path.of(Files.readString(bundle(id).resolve("loom.run")).strip());
  }

  long daemon(String id) throws IOException {
    return Long.parseLong(Files.readString(bundle(id).resolve("shim.pid")));
  }

  /** The run directories that exist. */
  List<Path> runs() throws IOException {
    if (!Files.exists(runDir)) {
      return List.of();
    }
    try (Stream<Path> paths = Files.list(runDir)) {
      return paths.filter(path -> Files.exists(path.resolve("leases"))).sorted().toList();
    }
  }

  Outcome with(ProcessBuilder builder, Map<String, String> environment) throws Exception {
    builder.environment().putAll(environment);
    return finish(builder, null);
  }

  /** Kills a daemon that this installation started, and waits for its end. */
  static void kill(long pid) {
    ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
    await().atMost(Duration.ofSeconds(20)).pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(5))
        .until(() -> ended(pid));
    try {
      Files.deleteIfExists(StandInDaemon.socket(pid));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether a process is gone or waits to be reaped by a parent that is not this test. */
  static boolean ended(long pid) throws IOException {
    try {
      Path stat = Path.of("/proc", Long.toString(pid), "stat");
      return Files.readString(stat, StandardCharsets.ISO_8859_1).contains(") Z ");
    } catch (NoSuchFileException e) {
      return true;
    } catch (IOException e) {
      return String.valueOf(e.getMessage()).contains("No such process");
    }
  }

  @Override
  public void afterEach(ExtensionContext context) throws Exception {
    endDaemons();
    remove(base);
  }

  private void endDaemons() throws Exception {
    for (Path run : runs()) {
      Path daemon = run.resolve("daemon");
      if (Files.exists(daemon)) {
        String[] words = Files.readString(daemon).strip().split(" ");
        String builds = prefix.resolve("lib/loomshim") + "/";
        Path arguments = Path.of("/proc", words[0], "cmdline");
        if (Files.exists(arguments) && Files.readString(arguments).contains(builds)) {
          kill(Long.parseLong(words[0]));
        }
      }
    }
  }
}
