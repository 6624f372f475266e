package io.loomshim.integration.clients;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.grpc.stub.ClientCalls;
import io.loomshim.integration.cri.ContainerStatus;
import io.loomshim.integration.cri.ContainerStatusRequest;
import io.loomshim.integration.cri.ContainerStatusResponse;
import io.loomshim.integration.cri.ExecSyncRequest;
import io.loomshim.integration.cri.ExecSyncResponse;
import io.loomshim.integration.cri.ImageSpec;
import io.loomshim.integration.cri.ImageStatusRequest;
import io.loomshim.integration.cri.ImageStatusResponse;
import io.loomshim.integration.cri.VersionRequest;
import io.loomshim.integration.cri.VersionResponse;
import io.loomshim.integration.harness.Await;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Speaks CRI to a containerd over its socket, as kubelet does. A connection of one thread of its own; may be used by
 * several threads at once. After a restart of containerd it connects again by itself.
 */
final class Cri implements AutoCloseable {
  /** No call may take longer on a busy machine. */
  private static final long CALL_SECONDS_MAX = Await.seconds(60).toSeconds();
  private static final String RUNTIME = "RuntimeService";

  private final EpollEventLoopGroup loop = new EpollEventLoopGroup(1);
  private final ManagedChannel channel;
  /** {@code runtime.v1.}, or what containerd before 1.6 speaks instead. */
  private final String service;
  private final String version;

  /** A message on the wire, read as one like {@code example}. */
  private record Wire<T extends MessageLite>(T example) implements MethodDescriptor.Marshaller<T> {
    @Override
    public InputStream stream(T message) {
      return new ByteArrayInputStream(message.toByteArray());
    }

    @SuppressWarnings("unchecked")
    @Override
    public T parse(InputStream bytes) {
      try {
        return (T) example.getParserForType().parseFrom(bytes);
      } catch (InvalidProtocolBufferException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Connects to the containerd at {@code address}. */
  Cri(Path address) {
    channel = NettyChannelBuilder.forAddress(new DomainSocketAddress(address.toFile()))
        .eventLoopGroup(loop).channelType(EpollDomainSocketChannel.class)
        .overrideAuthority("localhost").usePlaintext().build();
    String found = "runtime.v1.";
    VersionResponse answer;
    try {
      answer = version(found);
    } catch (StatusRuntimeException e) {
      if (e.getStatus().getCode() != Status.Code.UNIMPLEMENTED) {
        throw e;
      }
      found = "runtime.v1alpha2.";
      answer = version(found);
    }
    service = found;
    version = answer.getRuntimeVersion();
  }

  private VersionResponse version(String prefix) {
    return call(prefix + RUNTIME, "Version", VersionRequest.getDefaultInstance(),
        VersionResponse.getDefaultInstance());
  }

  /** The version of containerd as it tells it, such as {@code 1.6.20~ds1}. */
  String version() {
    return version;
  }

  /** Calls {@code method} of the runtime service; a failure is a {@link StatusRuntimeException}. */
  <Q extends MessageLite, A extends MessageLite> A call(String method, Q request, A answer) {
    return call(service + RUNTIME, method, request, answer);
  }

  private <Q extends MessageLite, A extends MessageLite> A call(String of, String method, Q request, A answer) {
    @SuppressWarnings("unchecked")
    var example = (Q) request.getDefaultInstanceForType();
    var descriptor = MethodDescriptor.<Q, A>newBuilder().setType(MethodDescriptor.MethodType.UNARY)
        .setFullMethodName(MethodDescriptor.generateFullMethodName(of, method))
        .setRequestMarshaller(new Wire<>(example)).setResponseMarshaller(new Wire<>(answer)).build();
    var options = CallOptions.DEFAULT.withDeadlineAfter(CALL_SECONDS_MAX, TimeUnit.SECONDS).withWaitForReady();
    return ClientCalls.blockingUnaryCall(channel, descriptor, options, request);
  }

  boolean hasImage(String name) {
    return call(service + "ImageService", "ImageStatus",
        ImageStatusRequest.newBuilder().setImage(ImageSpec.newBuilder().setImage(name)).build(),
        ImageStatusResponse.getDefaultInstance()).hasImage();
  }

  ContainerStatus status(String container) {
    return call("ContainerStatus", ContainerStatusRequest.newBuilder().setContainerId(container).build(),
        ContainerStatusResponse.getDefaultInstance()).getStatus();
  }

  /** Runs a program in a container with a limit of {@code seconds}, or none when it is 0. */
  ExecSyncResponse exec(String container, int seconds, String... command) {
    var request = ExecSyncRequest.newBuilder().setContainerId(container).setTimeout(seconds)
        .addAllCmd(List.of(command)).build();
    return call("ExecSync", request, ExecSyncResponse.getDefaultInstance());
  }

  /** containerd has been started anew: returns when CRI has found out what runs. */
  void reconnect() {
    channel.resetConnectBackoff();
    Await.until("CRI serves again", () -> {
      try {
        return hasImage(CriHost.IMAGE);
      } catch (StatusRuntimeException e) {
        return false;
      }
    });
  }

  @Override
  public void close() {
    channel.shutdownNow();
    try {
      channel.awaitTermination(CALL_SECONDS_MAX, TimeUnit.SECONDS);
      loop.shutdownGracefully(0, CALL_SECONDS_MAX, TimeUnit.SECONDS).await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
