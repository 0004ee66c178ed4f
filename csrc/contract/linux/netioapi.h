/* SPDX-License-Identifier: MIT */
/* Our subset of Microsoft's netioapi.h for Linux, with what it needs of
 * ifdef.h, ws2ipdef.h and winerror.h (nldef.h is a file of its own). Names,
 * types and layouts are the same, so Microsoft's documentation applies.
 * Members that only Linux has follow Microsoft's in each row, where a program
 * written for Windows never looks. contract/layout.h checks sizes and offsets.
 * Address families have the numbers of this system's socket API: AF_INET6 is
 * 10 here and 23 on Windows. */
#pragma once

#include "contract/linux/nldef.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <wchar.h>

#define NETIOAPI_API_
#define WINAPI

typedef void VOID;
typedef void *PVOID;
typedef void *HANDLE;
typedef char CHAR;
typedef unsigned char UCHAR;
typedef uint8_t UINT8;
typedef unsigned char BOOLEAN;
typedef uint16_t USHORT;
typedef uint32_t ULONG;
typedef uint32_t DWORD;
typedef uint64_t ULONG64;
typedef size_t SIZE_T;
typedef wchar_t WCHAR;

#define FALSE 0
#define TRUE 1

/* Win32 error codes (winerror.h). */
#define NO_ERROR 0u
#define ERROR_SUCCESS 0u
#define ERROR_FILE_NOT_FOUND 2u
#define ERROR_TOO_MANY_OPEN_FILES 4u
#define ERROR_ACCESS_DENIED 5u
#define ERROR_INVALID_HANDLE 6u
#define ERROR_NOT_ENOUGH_MEMORY 8u
#define ERROR_NOT_READY 21u
#define ERROR_GEN_FAILURE 31u
#define ERROR_NOT_SUPPORTED 50u
#define ERROR_INVALID_PARAMETER 87u
#define ERROR_INVALID_NAME 123u
#define ERROR_PROC_NOT_FOUND 127u
#define ERROR_IO_PENDING 997u
#define ERROR_POSSIBLE_DEADLOCK 1131u
#define ERROR_NOT_FOUND 1168u
#define ERROR_CANCELLED 1223u
#define ERROR_TIMEOUT 1460u
#define RPC_S_SERVER_UNAVAILABLE 1722u
#define EPT_S_NOT_REGISTERED 1753u
#define ERROR_INVALID_STATE 5023u
#define ERROR_NO_SYSTEM_RESOURCES 1450u
#define ERROR_NETWORK_UNREACHABLE 1231u
#define ERROR_HOST_UNREACHABLE 1232u

typedef DWORD NETIO_STATUS;
typedef USHORT ADDRESS_FAMILY;
typedef ULONG NET_IFINDEX;

#define IF_MAX_STRING_SIZE 256
#define MIB_INVALID_TEREDO_PORT_NUMBER 0

/* The bits of each field are those of Windows, for either byte order. */
typedef union _NET_LUID_LH {
    ULONG64 Value;
    struct {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        ULONG64 IfType : 16;
        ULONG64 NetLuidIndex : 24;
        ULONG64 Reserved : 24;
#else
        ULONG64 Reserved : 24;
        ULONG64 NetLuidIndex : 24;
        ULONG64 IfType : 16;
#endif
    } Info;
} NET_LUID;

typedef union _SOCKADDR_INET {
    struct sockaddr_in Ipv4;
    struct sockaddr_in6 Ipv6;
    ADDRESS_FAMILY si_family;
} SOCKADDR_INET;

typedef struct _IP_ADDRESS_PREFIX {
    SOCKADDR_INET Prefix;
    UINT8 PrefixLength;
} IP_ADDRESS_PREFIX;

typedef union _SCOPE_ID {
    struct {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        ULONG Level : 4;
        ULONG Zone : 28;
#else
        ULONG Zone : 28;
        ULONG Level : 4;
#endif
    } Parts;
    ULONG Value;
} SCOPE_ID;

typedef union _LARGE_INTEGER {
    int64_t QuadPart;
} LARGE_INTEGER;

typedef enum _MIB_NOTIFICATION_TYPE {
    MibParameterNotification,
    MibAddInstance,
    MibDeleteInstance,
    MibInitialNotification
} MIB_NOTIFICATION_TYPE;

typedef struct _NL_NETWORK_CONNECTIVITY_HINT {
    NL_NETWORK_CONNECTIVITY_LEVEL_HINT ConnectivityLevel;
    NL_NETWORK_CONNECTIVITY_COST_HINT ConnectivityCost;
    BOOLEAN ApproachingDataLimit;
    BOOLEAN OverDataLimit;
    BOOLEAN Roaming;
} NL_NETWORK_CONNECTIVITY_HINT;

typedef struct _NL_INTERFACE_OFFLOAD_ROD {
    BOOLEAN NlChecksumSupported : 1;
    BOOLEAN NlOptionsSupported : 1;
    BOOLEAN TlDatagramChecksumSupported : 1;
    BOOLEAN TlStreamChecksumSupported : 1;
    BOOLEAN TlStreamOptionsSupported : 1;
    BOOLEAN FastPathCompatible : 1;
    BOOLEAN TlLargeSendOffloadSupported : 1;
    BOOLEAN TlGiantSendOffloadSupported : 1;
} NL_INTERFACE_OFFLOAD_ROD;

/* What is rare in a row lies in a block of its own, which rows share. */
struct nio_extra;

typedef struct _MIB_IPINTERFACE_ROW {
    ADDRESS_FAMILY Family;
    NET_LUID InterfaceLuid;
    NET_IFINDEX InterfaceIndex;
    ULONG MaxReassemblySize;
    ULONG64 InterfaceIdentifier;
    ULONG MinRouterAdvertisementInterval;
    ULONG MaxRouterAdvertisementInterval;
    BOOLEAN AdvertisingEnabled;
    BOOLEAN ForwardingEnabled;
    BOOLEAN WeakHostSend;
    BOOLEAN WeakHostReceive;
    BOOLEAN UseAutomaticMetric;
    BOOLEAN UseNeighborUnreachabilityDetection;
    BOOLEAN ManagedAddressConfigurationSupported;
    BOOLEAN OtherStatefulConfigurationSupported;
    BOOLEAN AdvertiseDefaultRoute;
    NL_ROUTER_DISCOVERY_BEHAVIOR RouterDiscoveryBehavior;
    ULONG DadTransmits;
    ULONG BaseReachableTime;
    ULONG RetransmitTime;
    ULONG PathMtuDiscoveryTimeout;
    NL_LINK_LOCAL_ADDRESS_BEHAVIOR LinkLocalAddressBehavior;
    ULONG LinkLocalAddressTimeout;
    ULONG ZoneIndices[16];
    ULONG SitePrefixLength;
    ULONG Metric;
    ULONG NlMtu;
    BOOLEAN Connected;
    BOOLEAN SupportsWakeUpPatterns;
    BOOLEAN SupportsNeighborDiscovery;
    BOOLEAN SupportsRouterDiscovery;
    ULONG ReachableTime;
    NL_INTERFACE_OFFLOAD_ROD TransmitOffload;
    NL_INTERFACE_OFFLOAD_ROD ReceiveOffload;
    BOOLEAN DisableDefaultRoutes;
    UCHAR MicrosoftEnd; /* Microsoft's padding byte */
    /* Linux only. */
    ULONG Flags;         /* ifi_flags: IFF_* */
    ULONG Master;        /* IFLA_MASTER: ifindex of the bridge, bond or VRF */
    USHORT HardwareType; /* ifi_type: ARPHRD_* */
    UCHAR OperState;     /* IFLA_OPERSTATE: IF_OPER_* */
    UCHAR Pad;
    CHAR Name[16];                 /* IFLA_IFNAME, NUL-terminated */
    CHAR MasterName[16];           /* the name of `Master`, NUL-terminated */
    const struct nio_extra *Extra; /* base/extra.h; NULL: nothing more */
} MIB_IPINTERFACE_ROW, *PMIB_IPINTERFACE_ROW;

typedef struct _MIB_IPINTERFACE_TABLE {
    ULONG NumEntries;
    MIB_IPINTERFACE_ROW Table[1];
} MIB_IPINTERFACE_TABLE, *PMIB_IPINTERFACE_TABLE;

typedef struct _MIB_UNICASTIPADDRESS_ROW {
    SOCKADDR_INET Address;
    NET_LUID InterfaceLuid;
    NET_IFINDEX InterfaceIndex;
    NL_PREFIX_ORIGIN PrefixOrigin;
    NL_SUFFIX_ORIGIN SuffixOrigin;
    ULONG ValidLifetime;
    ULONG PreferredLifetime;
    UINT8 OnLinkPrefixLength;
    BOOLEAN SkipAsSource;
    NL_DAD_STATE DadState;
    SCOPE_ID ScopeId;
    LARGE_INTEGER CreationTimeStamp;
    /* Linux only. */
    ULONG Flags;    /* IFA_FLAGS: IFA_F_* */
    UCHAR Peer[16]; /* IFA_ADDRESS if it is not the local address; or 0 */
    UCHAR Scope;    /* ifa_scope: RT_SCOPE_* */
    UCHAR Pad[3];
    UCHAR Broadcast[16]; /* IFA_BROADCAST, all 0: none */
    CHAR Label[16];      /* IFA_LABEL, NUL-terminated */
    CHAR Name[16];       /* the interface's name when the row was made */
} MIB_UNICASTIPADDRESS_ROW, *PMIB_UNICASTIPADDRESS_ROW;

typedef struct _MIB_UNICASTIPADDRESS_TABLE {
    ULONG NumEntries;
    MIB_UNICASTIPADDRESS_ROW Table[1];
} MIB_UNICASTIPADDRESS_TABLE, *PMIB_UNICASTIPADDRESS_TABLE;

typedef struct _MIB_IPFORWARD_ROW2 {
    NET_LUID InterfaceLuid;
    NET_IFINDEX InterfaceIndex;
    IP_ADDRESS_PREFIX DestinationPrefix;
    SOCKADDR_INET NextHop;
    UCHAR SitePrefixLength;
    UCHAR Scope;      /* Linux only, in Microsoft's padding: rtm_scope */
    USHORT Instances; /* likewise: the kernel's routes that have this key */
    ULONG ValidLifetime;
    ULONG PreferredLifetime;
    ULONG Metric;
    NL_ROUTE_PROTOCOL Protocol;
    BOOLEAN Loopback;
    BOOLEAN AutoconfigureAddress;
    BOOLEAN Publish;
    BOOLEAN Immortal;
    ULONG Age;
    NL_ROUTE_ORIGIN Origin;
    /* Linux only. */
    ULONG Table;               /* RTA_TABLE */
    ULONG NexthopId;           /* RTA_NH_ID, 0: no nexthop object */
    UCHAR PreferredSource[16]; /* RTA_PREFSRC, all 0: none */
    USHORT Weight;             /* rtnh_hops + 1; 1 for a route of one leg */
    UCHAR Type;                /* rtm_type: RTN_* */
    UCHAR Tos;                 /* rtm_tos */
    UCHAR Flags;               /* rtm_flags or rtnh_flags: RTNH_F_* */
    UCHAR KernelProtocol;      /* rtm_protocol: RTPROT_* */
    UCHAR Preference;          /* RTA_PREF: ICMPV6_ROUTER_PREF_* */
    UCHAR Pad;
    CHAR Name[16]; /* the interface's name when the row was made */
    const struct nio_extra *Extra; /* base/extra.h; NULL: nothing more */
} MIB_IPFORWARD_ROW2, *PMIB_IPFORWARD_ROW2;

typedef struct _MIB_IPFORWARD_TABLE2 {
    ULONG NumEntries;
    MIB_IPFORWARD_ROW2 Table[1];
} MIB_IPFORWARD_TABLE2, *PMIB_IPFORWARD_TABLE2;

typedef VOID(NETIOAPI_API_ *PIPINTERFACE_CHANGE_CALLBACK)(
    PVOID CallerContext, PMIB_IPINTERFACE_ROW Row,
    MIB_NOTIFICATION_TYPE NotificationType);
typedef VOID(NETIOAPI_API_ *PUNICAST_IPADDRESS_CHANGE_CALLBACK)(
    PVOID CallerContext, PMIB_UNICASTIPADDRESS_ROW Row,
    MIB_NOTIFICATION_TYPE NotificationType);
typedef VOID(NETIOAPI_API_ *PIPFORWARD_CHANGE_CALLBACK)(
    PVOID CallerContext, PMIB_IPFORWARD_ROW2 Row,
    MIB_NOTIFICATION_TYPE NotificationType);
typedef VOID(NETIOAPI_API_ *PTEREDO_PORT_CHANGE_CALLBACK)(
    PVOID CallerContext, USHORT Port, MIB_NOTIFICATION_TYPE NotificationType);
typedef VOID(NETIOAPI_API_ *PSTABLE_UNICAST_IPADDRESS_TABLE_CALLBACK)(
    PVOID CallerContext, PMIB_UNICASTIPADDRESS_TABLE AddressTable);
typedef VOID(NETIOAPI_API_ *PNETWORK_CONNECTIVITY_HINT_CHANGE_CALLBACK)(
    PVOID CallerContext, NL_NETWORK_CONNECTIVITY_HINT ConnectivityHint);

#ifdef __cplusplus
extern "C" {
#endif

NETIO_STATUS NETIOAPI_API_ NotifyIpInterfaceChange(
    ADDRESS_FAMILY Family, PIPINTERFACE_CHANGE_CALLBACK Callback,
    PVOID CallerContext, BOOLEAN InitialNotification,
    HANDLE *NotificationHandle);
NETIO_STATUS NETIOAPI_API_ NotifyUnicastIpAddressChange(
    ADDRESS_FAMILY Family, PUNICAST_IPADDRESS_CHANGE_CALLBACK Callback,
    PVOID CallerContext, BOOLEAN InitialNotification,
    HANDLE *NotificationHandle);
NETIO_STATUS NETIOAPI_API_
NotifyRouteChange2(ADDRESS_FAMILY Family, PIPFORWARD_CHANGE_CALLBACK Callback,
                   PVOID CallerContext, BOOLEAN InitialNotification,
                   HANDLE *NotificationHandle);
NETIO_STATUS NETIOAPI_API_ NotifyTeredoPortChange(
    PTEREDO_PORT_CHANGE_CALLBACK Callback, PVOID CallerContext,
    BOOLEAN InitialNotification, HANDLE *NotificationHandle);
NETIO_STATUS NETIOAPI_API_ NotifyStableUnicastIpAddressTable(
    ADDRESS_FAMILY Family, PMIB_UNICASTIPADDRESS_TABLE *AddressTable,
    PSTABLE_UNICAST_IPADDRESS_TABLE_CALLBACK CallerCallback,
    PVOID CallerContext, HANDLE *NotificationHandle);
NETIO_STATUS NETIOAPI_API_ NotifyNetworkConnectivityHintChange(
    PNETWORK_CONNECTIVITY_HINT_CHANGE_CALLBACK Callback, PVOID CallerContext,
    BOOLEAN InitialNotification, HANDLE *NotificationHandle);
NETIO_STATUS NETIOAPI_API_ CancelMibChangeNotify2(HANDLE NotificationHandle);

NETIO_STATUS NETIOAPI_API_ GetIpForwardTable2(ADDRESS_FAMILY Family,
                                              PMIB_IPFORWARD_TABLE2 *Table);
NETIO_STATUS NETIOAPI_API_ GetIpForwardEntry2(PMIB_IPFORWARD_ROW2 Row);
NETIO_STATUS NETIOAPI_API_ GetBestRoute2(
    NET_LUID *InterfaceLuid, NET_IFINDEX InterfaceIndex,
    const SOCKADDR_INET *SourceAddress,
    const SOCKADDR_INET *DestinationAddress, ULONG AddressSortOptions,
    PMIB_IPFORWARD_ROW2 BestRoute, SOCKADDR_INET *BestSourceAddress);
NETIO_STATUS NETIOAPI_API_ GetUnicastIpAddressTable(
    ADDRESS_FAMILY Family, PMIB_UNICASTIPADDRESS_TABLE *Table);
NETIO_STATUS NETIOAPI_API_
GetUnicastIpAddressEntry(PMIB_UNICASTIPADDRESS_ROW Row);
NETIO_STATUS NETIOAPI_API_ GetIpInterfaceTable(ADDRESS_FAMILY Family,
                                               PMIB_IPINTERFACE_TABLE *Table);
NETIO_STATUS NETIOAPI_API_ GetIpInterfaceEntry(PMIB_IPINTERFACE_ROW Row);
NETIO_STATUS NETIOAPI_API_ GetTeredoPort(USHORT *Port);
NETIO_STATUS NETIOAPI_API_
GetNetworkConnectivityHint(NL_NETWORK_CONNECTIVITY_HINT *ConnectivityHint);
VOID NETIOAPI_API_ FreeMibTable(PVOID Memory);

NETIO_STATUS NETIOAPI_API_ ConvertInterfaceIndexToLuid(
    NET_IFINDEX InterfaceIndex, NET_LUID *InterfaceLuid);
NETIO_STATUS NETIOAPI_API_ ConvertInterfaceLuidToIndex(
    const NET_LUID *InterfaceLuid, NET_IFINDEX *InterfaceIndex);
NETIO_STATUS NETIOAPI_API_ ConvertInterfaceLuidToNameW(
    const NET_LUID *InterfaceLuid, WCHAR *InterfaceName, SIZE_T Length);
NETIO_STATUS NETIOAPI_API_ ConvertInterfaceNameToLuidW(
    const WCHAR *InterfaceName, NET_LUID *InterfaceLuid);
NETIO_STATUS NETIOAPI_API_ ConvertInterfaceLuidToAlias(
    const NET_LUID *InterfaceLuid, WCHAR *InterfaceAlias, SIZE_T Length);
NETIO_STATUS NETIOAPI_API_ ConvertInterfaceAliasToLuid(
    const WCHAR *InterfaceAlias, NET_LUID *InterfaceLuid);

#ifdef __cplusplus
}
#endif

/* ---- What the project adds to Microsoft's header, on each system. */
#define NIO_THIS_SYSTEM NIO_SYSTEM_LINUX
/* The offset of a member that only Linux has; NIO_ABSENT on Windows. */
#define NIO_LINUX_OFFSET(type, member) offsetof(type, member)

/* The routing table of a route row. */
static inline ULONG
nio_row_table(const MIB_IPFORWARD_ROW2 *row)
{
    return row->Table;
}
