package io.loomshim.integration.harness;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Names that no other run of the tests uses at the same time, and a memory of all that were given
 * away, so that what a shim derives from a name can be looked for afterwards. Safe for use by many
 * threads.
 */
public final class Names {
  /** Where Go shims put their sockets: a compiled-in path. */
  static final Path GO_SOCKETS = Path.of("/run/containerd/s");
  /** Where runc keeps its state when no root is given, by namespace. */
  public static final Path RUNC_ROOT = Path.of("/run/containerd/runc");

  /** Starts every namespace of this JVM; cgroups and runc's state are found by it. */
  public static final String PREFIX = "lit" + ProcessHandle.current().pid() + "-";

  private static final AtomicInteger NEXT = new AtomicInteger();
  private static final Set<String> NAMESPACES = ConcurrentHashMap.newKeySet();
  private static final Set<String> ADDRESSES = ConcurrentHashMap.newKeySet();
  private static final Set<String> IDS = ConcurrentHashMap.newKeySet();

  /** Sockets of other software: names are given away before there is a socket, so they stay so. */
  private static final Set<Path> OTHERS = ConcurrentHashMap.newKeySet();

  private Names() {}

  public static String namespace() {
    String name = PREFIX + NEXT.incrementAndGet();
    NAMESPACES.add(name);
    return name;
  }

  /** A container id that begins with {@code what}. */
  public static String id(String what) {
    String name = what + "-" + NEXT.incrementAndGet();
    IDS.add(name);
    return name;
  }

  /** Remembers a containerd address that shims are told. */
  public static String address(Path path) {
    ADDRESSES.add(path.toString());
    return path.toString();
  }

  /** Those of the {@code sockets} of Go shims that are for anything named here. */
  static List<Path> among(List<Path> sockets) {
    var there = new HashSet<Path>(sockets);
    OTHERS.retainAll(there);
    there.removeAll(OTHERS);
    if (there.isEmpty()) {
      return List.of();
    }
    var ours = new ArrayList<Path>();
    for (String address : ADDRESSES) {
      for (String namespace : NAMESPACES) {
        for (String id : IDS) {
          Path socket = GO_SOCKETS.resolve(sha256(address + "/" + namespace + "/" + id));
          if (there.remove(socket)) {
            ours.add(socket);
          }
        }
      }
    }
    OTHERS.addAll(there);
    return ours;
  }

  /** Forgets an address that is not used any more. */
  public static void forget(Path path) {
    ADDRESSES.remove(path.toString());
  }

  private static String sha256(String text) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
