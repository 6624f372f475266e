package io.loomshim.integration.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** An image with the root file system of the tests as its only layer, as {@code docker save} writes it. */
public record TestImage(Bed bed) {
  private static final String NAME = "docker.io/library/loomshim-test:latest";

  /** The archive, which {@code ctr images import} reads. */
  public Path archive() {
    Path archive = bed.directory().resolve("image.tar");
    if (!Files.exists(archive)) {
      write(archive);
    }
    return archive;
  }

  /** Imports it into the containerd of the bed and returns its name there. */
  public String imported() {
    Path archive = archive();
    var words = new ArrayList<>(List.of("images", "import", "--snapshotter", "native"));
    if (Containerd.version()[0] >= 2) {
      words.add("--local"); // elsewhere the snapshotter is the configuration's choice
    }
    words.add(archive.toString());
    bed.ctr().call(words.toArray(String[]::new)).ok();
    return NAME;
  }

  private void write(Path archive) {
    Path parts = Scratch.directory("image");
    try {
      Path layer = parts.resolve("layer.tar");
      tar(layer, bed.rootfs(), ".");
      String config = "{\"architecture\":\"" + architecture() + "\",\"os\":\"linux\","
          // its own command serves as that of a pod's sandbox, which reaps what falls to it
          + "\"config\":{\"Env\":[\"PATH=/bin\"],\"Cmd\":[\"sh\",\"-c\",\"sleep 1000000 & wait\"]},"
          + "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" + sha256(layer) + "\"]}}";
      Files.writeString(parts.resolve("config.json"), config);
      Files.writeString(parts.resolve("manifest.json"),
          "[{\"Config\":\"config.json\",\"RepoTags\":[\"" + NAME + "\"],\"Layers\":[\"layer.tar\"]}]");
      tar(archive, parts, "manifest.json", "config.json", "layer.tar");
    } catch (IOException e) {
      throw new AssertionError(e);
    } finally {
      Scratch.remove(parts);
    }
  }

  private static void tar(Path archive, Path directory, String... names) {
    var command = new ArrayList<>(List.of("tar", "-C", directory.toString(), "-cf", archive.toString()));
    command.addAll(List.of(names));
    Exec.start(Scratch.BASE, new Exec.Setting(Scratch.BASE, Map.of()), command).await(Ctr.LIMIT).ok();
  }

  private static String architecture() {
    return switch (System.getProperty("os.arch")) {
      case "aarch64" -> "arm64";
      case String other -> other;
    };
  }

  private static String sha256(Path file) throws IOException {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
