package io.loomshim.linux;

import com.kenai.jffi.CallContext;
import com.kenai.jffi.CallingConvention;
import com.kenai.jffi.Invoker;
import com.kenai.jffi.LastError;
import com.kenai.jffi.Library;
import com.kenai.jffi.MemoryIO;
import com.kenai.jffi.Type;

/**
 * Calls into glibc through jffi, the leanest layer that JDK 21 can use. Only the classes of this room that give a
 * function its types use it: {@link Fd}, {@link Epoll}, {@link ProcessCalls} and so on, one for each subject. They
 * return what the function returns, or the negative error number, as the kernel itself does; {@link
 * ErrnoException#check} makes an exception of that where the caller knows what was tried.
 *
 * <p>On x86_64 and aarch64 the first six integer or pointer arguments of a C function travel in
 * registers, and a callee ignores those that it does not declare. So one call shape, six 64-bit
 * integers in and one out, serves every function here, variadic ones included (System V AMD64 ABI
 * §3.2.3, AAPCS64 §6.8.2; variadic integers use the same registers on Linux).
 *
 * <p>errno is saved per OS thread. A virtual thread leaves its carrier only where it blocks, never
 * between a call and the reading of errno right after it, so the right one is read.
 */
final class Native {
  static final MemoryIO MEMORY = MemoryIO.getInstance();

  private static final Invoker INVOKER = Invoker.getInstance();
  private static final LastError LAST_ERROR = LastError.getInstance();
  private static final Library LIBC = Library.openLibrary("libc.so.6", Library.LAZY | Library.LOCAL);
  private static final CallContext SIX_LONGS =
      CallContext.getCallContext(
          Type.SINT64,
          new Type[] {Type.SINT64, Type.SINT64, Type.SINT64, Type.SINT64, Type.SINT64, Type.SINT64},
          CallingConvention.DEFAULT,
          true);

  private Native() {}

  /**
   * The address of a function of glibc. It takes some microseconds, so a class looks all of its functions up at once.
   *
   * @throws UnsupportedOperationException if this glibc does not have it
   */
  static long function(String name) {
    long address = LIBC.getSymbolAddress(name);
    if (address == 0) {
      throw new UnsupportedOperationException("glibc 2.34 or newer is needed: no " + name + " here");
    }
    return address;
  }

  /** Calls {@code function} with at most six arguments and returns its 64-bit result as it is. */
  private static long call(long function, long a, long b, long c, long d, long e, long f) {
    return INVOKER.invokeL6(SIX_LONGS, function, a, b, c, d, e, f);
  }

  /** Calls a function that returns a C {@code int}; −1 becomes −errno. */
  static int callInt(long function) {
    return callInt(function, 0, 0, 0, 0, 0, 0);
  }

  static int callInt(long function, long a) {
    return callInt(function, a, 0, 0, 0, 0, 0);
  }

  static int callInt(long function, long a, long b) {
    return callInt(function, a, b, 0, 0, 0, 0);
  }

  static int callInt(long function, long a, long b, long c) {
    return callInt(function, a, b, c, 0, 0, 0);
  }

  static int callInt(long function, long a, long b, long c, long d) {
    return callInt(function, a, b, c, d, 0, 0);
  }

  static int callInt(long function, long a, long b, long c, long d, long e) {
    return callInt(function, a, b, c, d, e, 0);
  }

  static int callInt(long function, long a, long b, long c, long d, long e, long f) {
    int result = (int) call(function, a, b, c, d, e, f);
    return result == -1 ? -LAST_ERROR.get() : result;
  }

  /** Calls a function that returns a {@code ssize_t} or {@code long}; −1 becomes −errno. */
  static long callLong(long function, long a, long b, long c) {
    return callLong(function, a, b, c, 0, 0, 0);
  }

  static long callLong(long function, long a, long b, long c, long d) {
    return callLong(function, a, b, c, d, 0, 0);
  }

  static long callLong(long function, long a, long b, long c, long d, long e, long f) {
    long result = call(function, a, b, c, d, e, f);
    return result == -1 ? -LAST_ERROR.get() : result;
  }

  /** Calls a function that returns an error number itself, or 0; the number becomes negative. */
  static int callStatus(long function, long a, long b, long c, long d, long e, long f) {
    return -(int) call(function, a, b, c, d, e, f);
  }

  static int callStatus(long function, long a, long b, long c) {
    return callStatus(function, a, b, c, 0, 0, 0);
  }

  /** Calls a function that returns a pointer; a null pointer becomes −errno. */
  static long callPointer(long function, long a) {
    long result = call(function, a, 0, 0, 0, 0, 0);
    return result == 0 ? -LAST_ERROR.get() : result;
  }
}
